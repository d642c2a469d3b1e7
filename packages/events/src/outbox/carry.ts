import type { OutboxRow, PublishedRow } from "./outbox-table.ts";
import type { BatchResult } from "./send-batch.ts";

export interface CarrySteps {
  /**
   * Rows that have not left and are not on their way, in order. Compares their streams with what the broker had acknowledged before:
   * where one had `lost` something, that leaves again before these.
   */
  readonly read: (
    onTheirWay: readonly OutboxRow[],
  ) => Promise<{ readonly rows: readonly OutboxRow[]; readonly lost: boolean }>;
  readonly send: (rows: readonly OutboxRow[]) => Promise<BatchResult>;
  readonly mark: (published: readonly PublishedRow[]) => Promise<void>;
}

export interface Carried {
  readonly published: number;
  /** Whether there may be more to carry at once. */
  readonly more: boolean;
}

/**
 * Carries batches from the outbox to the broker until nothing is left. While one is on its way, the one before is marked and the one after
 * is read. A look at the streams begins after all marks before it. When it finds that something was lost, the batch that is on its way is
 * not marked: what a stream acknowledged that is gone must leave again.
 */
export async function carryBatches({ read, send, mark }: CarrySteps): Promise<Carried> {
  let published = 0;
  let marking: Promise<void> = Promise.resolve();
  let next = await read([]);
  for (;;) {
    const { rows, lost } = next;
    if (lost) return { published, more: true };
    if (rows.length === 0) break;
    const reading = marking.then(() => read(rows));
    reading.catch(() => undefined);
    const sent = await send(rows);
    next = await reading;
    if (next.lost) return { published, more: true };
    marking = sent.published.length > 0 ? mark(sent.published) : Promise.resolve();
    marking.catch(() => undefined);
    published += sent.published.length;
    if (sent.stopped !== undefined || sent.refused.size > 0) {
      await marking;
      if (sent.stopped !== undefined) throw sent.stopped;
      return { published, more: sent.published.length > 0 };
    }
  }
  await marking;
  return { published, more: published > 0 };
}

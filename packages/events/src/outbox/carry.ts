import type { OutboxRow, PublishedRow } from "./outbox-table.ts";
import type { BatchResult, Sending } from "./sender.ts";

export interface CarrySteps {
  /**
   * Rows that have not left and are not on their way, in order. Compares their streams with what the broker had acknowledged before:
   * where one had `lost` something, that leaves again before these.
   */
  readonly read: (
    onTheirWay: readonly OutboxRow[],
  ) => Promise<{ readonly rows: readonly OutboxRow[]; readonly lost: boolean }>;
  readonly send: (rows: readonly OutboxRow[]) => Sending;
  readonly mark: (published: readonly PublishedRow[]) => Promise<void>;
}

/**
 * Carries batches from the outbox to the broker until a look at it finds nothing more; resolves with whether to begin again at once. While
 * one batch is on its way, the one before is marked and the one after is read, and its last events have the first ones of the next beside
 * them. A look at the streams begins after all marks before it. When it finds that something was lost, the batch that is on its way is not
 * marked: what a stream acknowledged that is gone must leave again.
 */
export async function carryBatches({ read, send, mark }: CarrySteps): Promise<boolean> {
  let former: Sending | undefined;
  let latest: Sending | undefined;

  async function finish(sending: Sending): Promise<BatchResult> {
    const sent = await sending.result;
    if (sent.published.length > 0) await mark(sent.published);
    return sent;
  }

  try {
    for (let next = await read([]); ; ) {
      const { rows, lost } = next;
      if (lost) return true;
      former = latest;
      latest = rows.length > 0 ? send(rows) : undefined;
      const sent = former && (await finish(former));
      if (sent && (sent.stopped !== undefined || sent.refused.size > 0)) {
        const last = latest && (await finish(latest));
        if (sent.stopped !== undefined) throw sent.stopped;
        return [sent, last].some((each) => each && each.published.length > 0);
      }
      if (!latest) return false;
      [next] = await Promise.all([read(rows), latest.begun]);
    }
  } finally {
    await Promise.all([former?.result, latest?.result]);
  }
}

import type { OutboxRow, PublishedRow } from "./outbox-table.ts";
import type { BatchResult, Sending } from "./sender.ts";

export interface CarrySteps {
  /** Rows that have not left and are not on their way, in order. */
  readonly read: (onTheirWay: readonly OutboxRow[]) => Promise<readonly OutboxRow[]>;
  /**
   * Compares the rows' streams with what the broker had acknowledged: whether one has lost something. That leaves again before them, and is
   * put back when nothing is under way.
   */
  readonly look: (rows: readonly OutboxRow[], underWay: boolean) => Promise<boolean>;
  readonly send: (rows: readonly OutboxRow[]) => Sending;
  readonly mark: (published: readonly PublishedRow[]) => Promise<void>;
}

/**
 * Carries batches from the outbox to the broker until a look at it finds nothing more; resolves with whether to begin again at once. While
 * one batch is on its way, the one before is marked and the one after is read, and its last events have the first ones of the next beside
 * them. A look at the streams begins after all marks before it. When it finds that something was lost, the batch that is on its way is not
 * marked: what a stream acknowledged that is gone must leave again.
 */
export async function carryBatches({ read, look, send, mark }: CarrySteps): Promise<boolean> {
  let before: readonly OutboxRow[] = [];
  let former: Sending | undefined;
  let latest: Sending | undefined;

  async function finish(sending: Sending | undefined): Promise<BatchResult | undefined> {
    const sent = await sending?.result;
    if (sent && sent.published.length > 0) await mark(sent.published);
    return sent;
  }

  try {
    for (let rows = await read([]); ; ) {
      if (await look(rows, latest !== undefined)) return true;
      await latest?.begun;
      former = latest;
      latest = rows.length > 0 ? send(rows) : undefined;
      const reading = latest ? read([...before, ...rows]) : Promise.resolve([]);
      reading.catch(() => undefined);
      const sent = await finish(former);
      if (sent && (sent.stopped !== undefined || sent.refused.size > 0)) {
        const last = await finish(latest);
        if (sent.stopped !== undefined) throw sent.stopped;
        return [sent, last].some((each) => each && each.published.length > 0);
      }
      if (!latest) return false;
      before = rows;
      rows = await reading;
    }
  } finally {
    await Promise.all([former?.result, latest?.result]);
  }
}

import { BrokerUnavailable } from "../broker.ts";
import { laneOf, type OutboxRow, type PublishedRow } from "./outbox-table.ts";

export interface BatchResult {
  readonly published: readonly PublishedRow[];
  /** Lanes of which at least one event left. */
  readonly progressed: ReadonlySet<string>;
  /** Lanes whose next event the broker refused, and why. */
  readonly refused: ReadonlyMap<string, unknown>;
  /** Why the batch was broken off: the broker is away, or the relay stops. */
  readonly stopped: unknown;
}

/**
 * Sends rows with a window across lanes and one unacknowledged event a lane. A refused event holds back its own lane
 * only; a broker that is away ends the batch.
 */
export async function sendBatch(
  rows: readonly OutboxRow[],
  window: number,
  signal: AbortSignal,
  send: (row: OutboxRow) => Promise<bigint>,
): Promise<BatchResult> {
  const lanes = [...Map.groupBy(rows, laneOf)];
  const published: PublishedRow[] = [];
  const progressed = new Set<string>();
  const refused = new Map<string, unknown>();
  let stopped: unknown;
  let next = 0;

  async function sendLane(lane: string, rows: readonly OutboxRow[]): Promise<void> {
    for (const row of rows) {
      if (signal.aborted) stopped ??= signal.reason;
      if (stopped !== undefined) return;
      try {
        published.push({ position: row.position, streamSequence: await send(row) });
        progressed.add(lane);
      } catch (error) {
        if (error instanceof BrokerUnavailable) stopped ??= error;
        else refused.set(lane, error);
        return;
      }
    }
  }

  async function takeLanes(): Promise<void> {
    for (let lane = lanes[next++]; lane; lane = lanes[next++]) await sendLane(...lane);
  }

  await Promise.all(Array.from({ length: Math.min(window, lanes.length) }, takeLanes));
  return { published, progressed, refused, stopped };
}

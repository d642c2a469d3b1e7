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

/** A batch on its way. */
export interface Sending {
  /** Resolves when all of its lanes have begun: there is room for the next batch. */
  readonly begun: Promise<void>;
  readonly result: Promise<BatchResult>;
}

export interface SenderOptions {
  /** Events under way at once, over all batches. */
  readonly window: number;
  readonly signal: AbortSignal;
  /** Resolves with the event's number in its stream. */
  readonly send: (row: OutboxRow) => Promise<bigint>;
}

interface Lane {
  readonly name: string;
  readonly rows: readonly OutboxRow[];
  readonly batch: Batch;
}

interface Batch {
  readonly published: PublishedRow[];
  readonly progressed: Set<string>;
  readonly refused: Map<string, unknown>;
  waiting: number;
  unfinished: number;
  readonly begun: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<BatchResult>;
}

/**
 * Sends batch after batch with a window across lanes and one unacknowledged event a lane; one batch's first events go beside the
 * last ones of the batch before. A refused event holds back its own lane only, in later batches too; a broker that is away ends them all.
 */
export function createSender({ window, signal, send }: SenderOptions): (rows: readonly OutboxRow[]) => Sending {
  const underWay = new Map<string, Promise<void>>();
  const refused = new Set<string>();
  let stopped: unknown;
  let running = 0;
  let queue: Lane[] = [];
  let next = 0;

  function start(): void {
    for (; running < window && next < queue.length; next++) {
      const lane = queue[next] as Lane;
      running += 1;
      const done: Promise<void> = sendLane(lane, underWay.get(lane.name)).then(() => end(lane, done));
      underWay.set(lane.name, done);
      if (--lane.batch.waiting === 0) lane.batch.begun.resolve();
    }
    if (next < queue.length) return;
    queue = [];
    next = 0;
  }

  const resultOf = ({ published, progressed, refused }: Batch): BatchResult => ({
    ...{ published, progressed, refused, stopped },
  });

  function end({ name, batch }: Lane, done: Promise<void>): void {
    running -= 1;
    if (underWay.get(name) === done) underWay.delete(name);
    if (--batch.unfinished === 0) batch.ended.resolve(resultOf(batch));
    start();
  }

  async function sendLane({ name, rows, batch }: Lane, predecessor: Promise<void> | undefined): Promise<void> {
    if (predecessor) await predecessor;
    for (const row of rows) {
      if (signal.aborted) stopped ??= signal.reason;
      if (stopped !== undefined || refused.has(name)) return;
      try {
        const { position, id, stream } = row;
        batch.published.push({ position, id, stream, streamSequence: await send(row) });
        batch.progressed.add(name);
      } catch (error) {
        if (error instanceof BrokerUnavailable) stopped ??= error;
        else {
          refused.add(name);
          batch.refused.set(name, error);
        }
        return;
      }
    }
  }

  return (rows) => {
    const lanes = Map.groupBy(rows, laneOf);
    const batch: Batch = {
      ...{ published: [], progressed: new Set(), refused: new Map() },
      ...{ waiting: lanes.size, unfinished: lanes.size },
      ...{ begun: Promise.withResolvers(), ended: Promise.withResolvers() },
    };
    for (const [name, rows] of lanes) queue.push({ name, rows, batch });
    start();
    return { begun: batch.begun.promise, result: batch.ended.promise };
  };
}

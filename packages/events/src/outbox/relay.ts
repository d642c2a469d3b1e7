import { type Clock, systemClock } from "@weft/context";
import { backoffMs, type Faults, type Listening, type Store, startWorker } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import { type Broker, BrokerUnavailable } from "../broker.ts";
import { outboxChannel } from "../outbox-insert.ts";
import { carryBatches } from "./carry.ts";
import { startLeadership } from "./leadership.ts";
import { createOutboxTable, type OutboxRow } from "./outbox-table.ts";
import { createRowPublisher } from "./publish-row.ts";
import { refillStreams } from "./refill.ts";
import { createRelayMetrics } from "./relay-metrics.ts";
import { type BatchResult, createSender } from "./sender.ts";

export interface RelayOptions<DB> {
  readonly store: Store<DB>;
  readonly broker: Broker;
  /** Who publishes: the source of the events. */
  readonly service: string;
  readonly logger?: Logger;
  /** Events under way at once, each of another key; default 256. */
  readonly window?: number;
  /** Rows that are read at once; default 1,000, and fewer where they are large. Three times as many are held at most. */
  readonly batch?: number;
  /** Longest time until a row is seen whose notification was lost, in milliseconds; default 1,000. */
  readonly pollMs?: number;
  /** Milliseconds between two tries to lead; default 1,000. */
  readonly leaderIntervalMs?: number;
  /** How long published rows are kept, in milliseconds; default 3 days. A broker that lost events is refilled from them. */
  readonly retentionMs?: number;
  /** Milliseconds between two looks at whether the broker still has its streams while nothing is published; default 10,000. */
  readonly streamCheckMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly faults?: Faults;
}

export interface Relay {
  /** Whether this instance is the one that relays now. */
  leads(): boolean;
  /** Finishes what is under way and hands over. */
  close(): Promise<void>;
}

// "weft" and "obox" in ASCII: one relay a database. A version that can't read what this one writes would have another number, so that its leader
// doesn't keep the office without being able to do its work.
const lock = [0x77656674, 0x6f626f78] as const;
const firstBatch = 50;
/** What is read at once in events' bytes: the largest events are a megabyte each. */
const batchBytes = 16 * 1024 * 1024;
const sweepEveryMs = 60_000;
const sweepLimit = 5_000;

/**
 * Carries the outbox to the broker. Of all instances on one database one leads; it wakes on commits and polls besides.
 * A broker that is away is waited for, and one that lost events is refilled. A crash between the broker's acknowledgement
 * and the row's mark publishes the event again under the same id: the broker's duplicate window or the inbox absorbs it.
 */
export function startRelay<DB>(options: RelayOptions<DB>): Relay {
  const { store, broker, service, logger = silentLogger, window = 256, batch = 1_000, pollMs = 1_000 } = options;
  const {
    retentionMs = 3 * 86_400_000,
    streamCheckMs = 10_000,
    clock = systemClock,
    random = Math.random,
    faults,
  } = options;
  const table = createOutboxTable(store);
  const publishRow = createRowPublisher(broker, service);
  const metrics = createRelayMetrics(service, () =>
    leadership.leads() ? table.backlog() : Promise.resolve(undefined),
  );

  async function send(row: OutboxRow): Promise<bigint> {
    if (faults) await faults("before-publish", row);
    try {
      const sequence = await publishRow(row);
      metrics.published(row.subject);
      if (faults) await faults("after-publish", row);
      return sequence;
    } catch (error) {
      metrics.failed(row.subject);
      throw error;
    }
  }

  async function lead(signal: AbortSignal): Promise<void> {
    // Streams are compared before each batch, and besides when there is nothing to publish.
    let nextCheck = Number.NEGATIVE_INFINITY;
    let connections = 0;
    // Small at first: a process that crashes again and again gets ahead all the same, since a batch is marked as a whole.
    let readAtOnce = Math.min(batch, firstBatch);
    const heldBack = new Map<string, { readonly failures: number; readonly until: number }>();

    async function checkStreams(): Promise<void> {
      if (clock.now() < nextCheck) return;
      try {
        await refillStreams(broker, table, logger);
        nextCheck = clock.now() + streamCheckMs;
      } catch (error) {
        if (!(error instanceof BrokerUnavailable)) throw error;
      }
    }

    function read(onTheirWay: readonly OutboxRow[]): Promise<readonly OutboxRow[]> {
      const held = [...heldBack].filter(([, { until }]) => until > clock.now()).map(([lane]) => lane);
      return table.pending({ rows: readAtOnce, bytes: batchBytes }, held, onTheirWay);
    }

    function look(rows: readonly OutboxRow[], underWay: boolean): Promise<boolean> {
      const streams = new Map(rows.map(({ stream, subject }) => [stream, { stream, subject }]));
      return refillStreams(broker, table, logger, [...streams.values()], underWay);
    }

    function note(result: BatchResult): BatchResult {
      const { progressed, refused } = result;
      if (progressed.size > 0) readAtOnce = Math.min(batch, readAtOnce * 2);
      for (const lane of progressed) heldBack.delete(lane);
      for (const [lane, error] of refused) {
        const failures = (heldBack.get(lane)?.failures ?? 0) + 1;
        heldBack.set(lane, {
          failures,
          until: clock.now() + backoffMs(failures, { baseMs: 200, maxMs: 60_000, random }),
        });
        logger.error({ error, lane, failures }, "the broker refused an event: its key waits");
      }
      return result;
    }

    async function relay(): Promise<number> {
      await checkStreams();
      const began = connections;
      // A server that came back may have forgotten what it had acknowledged: that is compared before anything else leaves, or is marked.
      const cameBack = () => new BrokerUnavailable("the broker came back: what was on its way leaves again");
      const sendRows = createSender({
        ...{ window, signal },
        send: (row) => (connections === began ? send(row) : Promise.reject(cameBack())),
      });
      try {
        const more = await carryBatches({
          ...{ read, look },
          send(rows) {
            const { begun, result } = sendRows(rows);
            return { begun, result: result.then(note) };
          },
          mark: (rows) => (connections === began ? table.markPublished(rows) : Promise.reject(cameBack())),
        });
        return more ? 1 : 0;
      } catch (error) {
        if (signal.aborted) return 0;
        throw error;
      }
    }

    const worker = startWorker({
      name: "outbox relay",
      poll: relay,
      intervalMs: pollMs,
      maxBackoffMs: 1_000,
      logger,
      clock,
      random,
    });
    const sweeper = startWorker({
      name: "outbox sweep",
      poll: async () => ((await table.sweep(retentionMs, sweepLimit)) >= sweepLimit ? sweepLimit : 0),
      intervalMs: Math.min(sweepEveryMs, retentionMs / 4),
      logger,
      clock,
      random,
    });
    const listening: Promise<Listening | undefined> = store
      .listen(outboxChannel, () => worker.wake())
      .catch(() => undefined);
    const forget = broker.onAvailable(() => {
      connections += 1;
      nextCheck = Number.NEGATIVE_INFINITY;
      worker.wake();
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    forget();
    await Promise.all([worker.close(), sweeper.close()]);
    void listening.then((listening) => listening?.close());
  }

  const leadership = startLeadership({ store, lock, intervalMs: options.leaderIntervalMs ?? 1_000, logger, lead });
  return {
    leads: leadership.leads,
    async close() {
      metrics.close();
      await leadership.close();
    },
  };
}

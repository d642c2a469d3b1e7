import { type Clock, systemClock } from "@weft/context";
import { type Faults, type Store, startWorker } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import type { Broker } from "../broker.ts";
import { packageOf } from "../event-type.ts";
import { durableName, replayStream, replaySubject } from "../stream.ts";
import type { Subscription } from "../subscribe.ts";
import { type StreamConsumer, type StreamConsumerOptions, startStreamConsumer } from "./consumer.ts";
import { consumerName } from "./consumer-name.ts";
import { createInboxMetrics } from "./inbox-metrics.ts";
import { createInboxTable } from "./inbox-table.ts";
import { readEvent, readReplay } from "./incoming-event.ts";
import { replaySettlement } from "./replay.ts";
import { inboxSettlement } from "./settle-event.ts";

export interface SubscriberOptions<DB> {
  /** Names the durable consumers: all instances of a service share them. */
  readonly service: string;
  readonly store: Store<DB>;
  readonly broker: Broker;
  readonly subscriptions: readonly Subscription[];
  /** Where a service that never consumed a stream begins; default "beginning": of what the stream still holds. */
  readonly from?: "now" | "beginning";
  /** Failed runs of a handler after which its event becomes a dead letter; default 20. */
  readonly maxDeliver?: number;
  /** The pause after a failed run, in milliseconds, doubling; default 200 up to 60,000. */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** Handlers that run at once for a stream, each of another key; default 8. Each holds a connection of the pool. */
  readonly concurrency?: number;
  /** A handler's time, in milliseconds; default 30,000. */
  readonly handlerTimeoutMs?: number;
  /** Milliseconds after which the broker gives an unanswered event to another instance; default 10,000. Running handlers renew it. */
  readonly ackWaitMs?: number;
  /** Events that may be unanswered at once over all instances, those that wait for a retry included; default 2,000. */
  readonly maxAckPending?: number;
  /** How long the inbox remembers ids, in milliseconds; default 8 days. Must exceed the stream's and the outbox's retention. */
  readonly inboxRetentionMs?: number;
  /** How long `close` waits for running handlers before it aborts them, in milliseconds; default 10,000. */
  readonly closeGraceMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Wall clock, in milliseconds. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly faults?: Faults;
}

export interface Subscriber {
  /** Takes no more events, waits for the handlers that run, and gives back what waits. */
  close(): Promise<void>;
}

const sweepEveryMs = 60_000;
const sweepLimit = 5_000;

/** Runs the subscriptions: one durable consumer for each stream that they name. Broker and database may be away at the start. */
export function startSubscriber<DB>(options: SubscriberOptions<DB>): Subscriber {
  const { service, store, broker, logger = silentLogger, clock = systemClock, random = Math.random } = options;
  const { maxDeliver = 20, backoff = { baseMs: 200, maxMs: 60_000 }, inboxRetentionMs = 8 * 86_400_000 } = options;
  const table = createInboxTable(store);
  const byStream = Map.groupBy(options.subscriptions, ({ type }) => type.stream);
  const consumers: StreamConsumer[] = [];
  const metrics = createInboxMetrics(service, () => consumers);
  const { concurrency = 8 } = options;
  const start = (stream: string, subscriptions: readonly Subscription[], rest: OfStream): void => {
    const consumer = consumerName(service, stream);
    const batch = Math.max(0, ...subscriptions.map(({ batch }) => batch?.most ?? 0));
    consumers.push(
      startStreamConsumer({
        ...{ service, store, table, broker, metrics, clock, maxDeliver, concurrency },
        durable: durableName(service),
        subscriptions: bySubject(subscriptions),
        rules: {
          consumer,
          from: options.from ?? "beginning",
          retentionMs: inboxRetentionMs,
          now: options.now ?? Date.now,
        },
        backoff: { ...backoff, random },
        prefetch: concurrency * Math.max(8, batch),
        handlerTimeoutMs: options.handlerTimeoutMs ?? 30_000,
        ackWaitMs: options.ackWaitMs ?? 10_000,
        maxAckPending: options.maxAckPending ?? 2_000,
        closeGraceMs: options.closeGraceMs ?? 10_000,
        logger: logger.child({ consumer }),
        faults: options.faults,
        ...rest,
      }),
    );
  };
  for (const [stream, subscriptions] of byStream) {
    const subjects = [...new Set(subscriptions.map(({ type }) => `${packageOf(type.subject)}.>`))];
    start(stream, subscriptions, {
      stream: { name: stream, subjects },
      settlement: inboxSettlement,
      read: readEvent,
    });
  }
  start(replayStream.name, alone(options.subscriptions), {
    stream: replayStream,
    filter: replaySubject(service, ">"),
    settlement: replaySettlement(broker),
    read: readReplay,
  });
  const sweeper = startWorker({
    name: "inbox sweep",
    poll: async () => ((await table.sweep(inboxRetentionMs, sweepLimit)) >= sweepLimit ? sweepLimit : 0),
    intervalMs: Math.min(sweepEveryMs, inboxRetentionMs / 4),
    logger,
    clock,
    random,
  });
  let closed: Promise<void> | undefined;
  return {
    close() {
      closed ??= (async () => {
        metrics.close();
        await Promise.all([...consumers.map((consumer) => consumer.close()), sweeper.close()]);
      })();
      return closed;
    },
  };
}

/** What differs between the consumers of a service. */
type OfStream = Pick<StreamConsumerOptions<unknown>, "stream" | "filter" | "settlement" | "read">;

/** Without batches: what failed once is tried by itself. */
function alone(subscriptions: readonly Subscription[]): readonly Subscription[] {
  return subscriptions.map(({ type, handler, options }) => ({ type, handler, options }));
}

function bySubject(subscriptions: readonly Subscription[]): ReadonlyMap<string, Subscription> {
  const map = new Map<string, Subscription>();
  for (const subscription of subscriptions) {
    const { subject } = subscription.type;
    if (map.has(subject)) throw new Error(`two subscriptions for ${subject}: let one handler do both`);
    map.set(subject, subscription);
  }
  return map;
}

import { type Clock, systemClock } from "@weft/context";
import { type Faults, type Store, startWorker } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import type { Broker } from "../broker.ts";
import { packageOf } from "../event-type.ts";
import type { Subscription } from "../subscribe.ts";
import { type StreamConsumer, startStreamConsumer } from "./consumer.ts";
import { consumerName } from "./consumer-name.ts";
import { createInboxMetrics } from "./inbox-metrics.ts";
import { createInboxTable } from "./inbox-table.ts";

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
  for (const [stream, subscriptions] of byStream) {
    const consumer = consumerName(service, stream);
    const batch = Math.max(0, ...subscriptions.map(({ batch }) => batch?.most ?? 0));
    consumers.push(
      startStreamConsumer({
        service,
        store,
        table,
        broker,
        stream: {
          name: stream,
          subjects: [...new Set(subscriptions.map(({ type }) => `${packageOf(type.subject)}.>`))],
        },
        durable: service.replace(/[^\w-]/g, "_"),
        subscriptions: bySubject(subscriptions),
        rules: {
          consumer,
          from: options.from ?? "beginning",
          retentionMs: inboxRetentionMs,
          now: options.now ?? Date.now,
        },
        maxDeliver,
        backoff: { ...backoff, random },
        concurrency,
        prefetch: concurrency * Math.max(8, batch),
        handlerTimeoutMs: options.handlerTimeoutMs ?? 30_000,
        ackWaitMs: options.ackWaitMs ?? 10_000,
        maxAckPending: options.maxAckPending ?? 2_000,
        closeGraceMs: options.closeGraceMs ?? 10_000,
        metrics,
        logger: logger.child({ consumer }),
        clock,
        faults: options.faults,
      }),
    );
  }
  const sweeper = startWorker({
    name: "inbox sweep",
    poll: async () => ((await table.sweep(inboxRetentionMs, sweepLimit)) >= sweepLimit ? sweepLimit : 0),
    intervalMs: sweepEveryMs,
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

function bySubject(subscriptions: readonly Subscription[]): ReadonlyMap<string, Subscription> {
  const map = new Map<string, Subscription>();
  for (const subscription of subscriptions) {
    const { subject } = subscription.type;
    if (map.has(subject)) throw new Error(`two subscriptions for ${subject}: let one handler do both`);
    map.set(subject, subscription);
  }
  return map;
}

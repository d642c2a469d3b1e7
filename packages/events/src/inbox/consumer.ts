import { pause } from "@weft/store";
import type { Broker, Consumption, IncomingMessage } from "../broker.ts";
import type { StreamSpec } from "../stream.ts";
import type { LagSource } from "./inbox-metrics.ts";
import type { IncomingEvent } from "./incoming-event.ts";
import { createLanes, type Together } from "./lanes.ts";
import { processBatch } from "./process-batch.ts";
import { type ProcessContext, processMessage } from "./process-message.ts";

export interface StreamConsumerOptions<DB> extends Omit<ProcessContext<DB>, "closing"> {
  readonly broker: Broker;
  readonly stream: StreamSpec;
  /** What the consumer's name at the broker begins with. */
  readonly durable: string;
  /** Subjects that it is given; all of the stream's when absent. */
  readonly filter?: string;
  readonly read: (message: IncomingMessage) => IncomingEvent;
  readonly concurrency: number;
  /** Events that this process takes ahead. */
  readonly prefetch: number;
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
  readonly closeGraceMs: number;
}

export interface StreamConsumer extends LagSource {
  close(): Promise<void>;
}

/** A key whose event failed: its later events need not be tried before. */
interface Blocked {
  readonly keySeq: bigint;
  readonly until: number;
}

/** Takes the events of one stream into lanes, one lane a key, and answers the broker for each. */
export function startStreamConsumer<DB>(options: StreamConsumerOptions<DB>): StreamConsumer {
  const { broker, stream, table, rules, concurrency, ackWaitMs, clock, logger, faults } = options;
  const stopping = new AbortController();
  const aborting = new AbortController();
  const context: ProcessContext<DB> = { ...options, closing: aborting.signal };
  const held = new Set<IncomingMessage>();
  const blocked = new Map<string, Blocked>();
  const lanes = createLanes<IncomingEvent>({ concurrency, run, together });
  let consumption: Consumption | undefined;

  /** First deliveries of a type that is handled in batches. What comes again may be what failed. */
  function together({ subject, key, keySeq, message }: IncomingEvent): Together | undefined {
    const batch = context.subscriptions.get(subject)?.batch;
    if (!batch || keySeq === undefined || message.deliveryCount > 1 || blocked.has(key)) return undefined;
    return { group: subject, most: batch.most };
  }

  async function run(events: readonly IncomingEvent[]): Promise<void> {
    let settled: ReadonlySet<IncomingEvent> = new Set();
    const subscription = context.subscriptions.get(events[0]?.subject ?? "");
    if (subscription && events.length > 1) settled = await processBatch(context, subscription, events);
    for (const event of events) await answering(event, () => (settled.has(event) ? undefined : process(event)));
  }

  async function process(event: IncomingEvent): Promise<number | undefined> {
    const { keySeq } = event;
    const block = blocked.get(event.key);
    if (block && keySeq !== undefined && keySeq > block.keySeq && block.until > clock.now()) {
      options.metrics.count(stream.name, event.subject, "ahead");
      return block.until - clock.now() + 25;
    }
    const { outcome, retryInMs } = await processMessage(context, event);
    if (outcome === "retried" && keySeq !== undefined) {
      blocked.set(event.key, { keySeq, until: clock.now() + (retryInMs ?? 0) });
    } else if (keySeq === blocked.get(event.key)?.keySeq) {
      blocked.delete(event.key);
    }
    return retryInMs;
  }

  /** Answers with what `settle` says: settled, or to be delivered again after so many milliseconds. */
  async function answering(event: IncomingEvent, settle: () => Promise<number | undefined> | undefined): Promise<void> {
    const { message } = event;
    try {
      const retryInMs = await settle();
      if (retryInMs === undefined) await faults?.("before-ack", event);
      answer(message, retryInMs);
    } catch (error) {
      // Unanswered, it comes again after the acknowledgement's wait.
      held.delete(message);
      message.drop();
      logger.warn({ error, eventId: event.id }, "an event was not answered");
    }
  }

  function answer(message: IncomingMessage, retryInMs: number | undefined): void {
    held.delete(message);
    if (retryInMs === undefined) message.ack();
    else message.nak(retryInMs);
  }

  async function start(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const start = rules.from === "now" ? await table.startedAt(rules.consumer) : "beginning";
        if (stopping.signal.aborted) return;
        consumption = broker.consume({
          stream,
          consumer: options.durable,
          ...(options.filter !== undefined && { filter: options.filter }),
          start,
          ackWaitMs,
          maxAckPending: options.maxAckPending,
          prefetch: options.prefetch,
          onMessage(message) {
            held.add(message);
            const event = options.read(message);
            lanes.add(event.key, event);
          },
        });
        return;
      } catch (error) {
        logger.warn({ error }, "a consumer can't begin: trying again");
        await pause(1_000, stopping.signal).catch(() => undefined);
      }
    }
  }

  const started = start();
  const renewal = setInterval(() => {
    for (const message of held) message.working();
    for (const [key, { until }] of blocked) if (until < clock.now() - ackWaitMs) blocked.delete(key);
  }, ackWaitMs / 3);
  return {
    stream: stream.name,
    pending: async () => consumption?.pending(),
    async close() {
      stopping.abort(new Error("the subscriber is closed"));
      await started;
      await consumption?.stop();
      for (const { message } of lanes.clear()) answer(message, 0);
      const grace = setTimeout(() => aborting.abort(new Error("the subscriber is closed")), options.closeGraceMs);
      await lanes.idle();
      clearTimeout(grace);
      clearInterval(renewal);
    },
  };
}

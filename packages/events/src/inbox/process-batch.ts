import { trace } from "@opentelemetry/api";
import { extractTrace, inSpan, SpanKind } from "@weft/telemetry";
import type { Subscription } from "../subscribe.ts";
import { moveOn, type Run } from "./admission.ts";
import type { IncomingEvent } from "./incoming-event.ts";
import type { ProcessContext } from "./process-message.ts";
import { decodeEvent, runBatchHandler } from "./run-handler.ts";

/**
 * Gives several first deliveries of one type their effect in one transaction, inside a span that links to those of their
 * publishers. Resolves with those that are settled; the rest, all of them when anything failed, are to be processed
 * one by one, which tells what is the matter with each.
 */
export async function processBatch<DB>(
  context: ProcessContext<DB>,
  subscription: Subscription,
  events: readonly IncomingEvent[],
): Promise<ReadonlySet<IncomingEvent>> {
  const { rules, metrics, logger, closing } = context;
  const { subject, stream } = subscription.type;
  const attributes = {
    "messaging.system": "nats",
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
    "messaging.destination.name": subject,
    "messaging.consumer.group.name": rules.consumer,
    "messaging.batch.message_count": events.length,
  };
  const options = {
    kind: SpanKind.CONSUMER,
    attributes,
    links: linksTo(events),
    parent: extractTrace(() => undefined),
  };
  try {
    return await inSpan(`process ${subject}`, options, async () => {
      const { handled, expired } = await settleBatch(context, subscription, events);
      for (const _ of handled) metrics.count(stream, subject, "handled");
      for (const _ of expired) metrics.count(stream, subject, "expired");
      return new Set([...handled, ...expired]);
    });
  } catch (error) {
    if (!closing.aborted) logger.debug({ error, subject, events: events.length }, "a batch failed: one by one");
    return new Set();
  }
}

async function settleBatch<DB>(
  context: ProcessContext<DB>,
  subscription: Subscription,
  events: readonly IncomingEvent[],
): Promise<{ readonly handled: readonly IncomingEvent[]; readonly expired: readonly IncomingEvent[] }> {
  const { store, rules, faults } = context;
  const runs = runsOf(events);
  return store.transaction(async (tx) => {
    const admitted = new Set<string>();
    for (const { key, moved, recorded, parked } of await moveOn(tx, [...runs.values()], rules)) {
      if (!moved) continue;
      if (parked || recorded !== runs.get(key)?.events.length) throw new Error(`the key ${key} is not as usual`);
      admitted.add(key);
    }
    const all = [...runs.values()].filter(({ key }) => admitted.has(key)).flatMap(({ events }) => events);
    const now = rules.now();
    const [handled, expired] = [all.filter((event) => !isOver(event, now)), all.filter((event) => isOver(event, now))];
    if (handled.length > 0) {
      for (const event of handled) await faults?.("before-effect", event);
      const decoded = handled.map((event) => ({ event, message: decodeEvent(subscription, event) }));
      await runBatchHandler(context, subscription, decoded);
      for (const event of handled) await faults?.("after-effect", event);
    }
    return { handled, expired };
  });
}

/** What may begin of each key: its first events, as far as their numbers follow each other. */
function runsOf(events: readonly IncomingEvent[]): ReadonlyMap<string, Run> {
  const runs = new Map<string, { readonly key: string; readonly events: IncomingEvent[] }>();
  for (const event of events) {
    const run = runs.get(event.key);
    const last = run?.events.at(-1);
    if (!run) runs.set(event.key, { key: event.key, events: [event] });
    else if (last?.keySeq !== undefined && last.keySeq + 1n === event.keySeq) run.events.push(event);
  }
  return runs;
}

function isOver({ expiresAt }: IncomingEvent, now: number): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= now;
}

function linksTo(events: readonly IncomingEvent[]) {
  return events.flatMap(({ message }) => {
    const context = trace.getSpanContext(extractTrace((name) => message.headers[name]));
    return context ? [{ context }] : [];
  });
}

import { backoffMs, isUnavailable } from "@weft/store";
import { extractTrace, inSpan, type Logger, recordError, SpanKind } from "@weft/telemetry";
import { storableText } from "../event-headers.ts";
import { RetryLater, type Subscription, Unprocessable } from "../subscribe.ts";
import type { InboxMetrics, Outcome } from "./inbox-metrics.ts";
import type { IncomingEvent } from "./incoming-event.ts";
import type { SettleContext, Settlement } from "./settle-event.ts";

export interface ProcessContext<DB> extends SettleContext<DB> {
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Failed runs after which an event becomes a dead letter. */
  readonly maxDeliver: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number; readonly random: () => number };
  readonly settlement: Settlement;
  readonly metrics: InboxMetrics;
  readonly logger: Logger;
}

/** What to tell the broker: settled, or deliver again after so many milliseconds. */
export type Verdict = { readonly outcome: Outcome; readonly retryInMs: number | undefined };

/** Processes one delivery inside a consumer span below the relay's, and decides what becomes of it. Never rejects. */
export async function processMessage<DB>(context: ProcessContext<DB>, event: IncomingEvent): Promise<Verdict> {
  const { message } = event;
  const attributes = {
    "messaging.system": "nats",
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
    "messaging.destination.name": event.subject,
    "messaging.consumer.group.name": context.rules.consumer,
    "messaging.message.id": event.id,
    "messaging.message.body.size": message.data.length,
    "weft.event.delivery": message.deliveryCount,
  };
  const parent = extractTrace((name) => message.headers[name]);
  const options = { kind: SpanKind.CONSUMER, attributes, parent };
  const verdict = await inSpan(`process ${event.subject}`, options, async (span): Promise<Verdict> => {
    let verdict: Verdict;
    try {
      const outcome = await context.settlement.settle(context, context.subscriptions.get(event.subject), event);
      verdict = { outcome, retryInMs: outcome === "ahead" ? aheadMs(message.deliveryCount) : undefined };
    } catch (error) {
      recordError(span, error);
      verdict = await afterFailure(context, event, error);
    }
    span.setAttribute("weft.event.outcome", verdict.outcome);
    return verdict;
  });
  context.metrics.count(message.stream, event.subject, verdict.outcome);
  return verdict;
}

/** An event that came before its predecessor waits longer each time. */
function aheadMs(deliveries: number): number {
  return Math.min(2_000, 10 * 2 ** Math.min(10, deliveries - 1));
}

async function afterFailure<DB>(context: ProcessContext<DB>, event: IncomingEvent, error: unknown): Promise<Verdict> {
  const { table, rules, closing, logger, maxDeliver, backoff } = context;
  const later = (failures: number): number => backoffMs(failures, backoff);
  // All events wait for a database that is away: none of them long once it is back.
  const untilBack = (): number => Math.min(longestUntilBackMs, later(event.message.deliveryCount));
  if (closing.aborted) return { outcome: "retried", retryInMs: 0 };
  const { subject, id: eventId, key, correlationId: correlation_id } = event;
  const fields = { error, subject, eventId, key, correlation_id };
  try {
    if (error instanceof RetryLater || isUnavailable(error)) {
      const asked = error instanceof RetryLater ? error.delayMs : undefined;
      const retryInMs = asked ?? (isUnavailable(error) ? untilBack() : later(event.message.deliveryCount));
      logger.warn({ ...fields, retryInMs: Math.round(retryInMs) }, "an event has to wait: what it needs is away");
      return { outcome: "retried", retryInMs };
    }
    const attempts = await table.recordFailure(rules.consumer, event.id, describe(error));
    if (attempts < maxDeliver && !(error instanceof Unprocessable)) {
      const retryInMs = later(attempts);
      logger.warn({ ...fields, attempts, retryInMs: Math.round(retryInMs) }, "an event's handler failed: trying again");
      return { outcome: "retried", retryInMs };
    }
    const reason = error instanceof Unprocessable ? "unprocessable" : "attempts";
    const park = context.subscriptions.get(event.subject)?.options.afterDeadLetter === "park";
    const settled = await context.settlement.giveUp(context, event, { reason, error: describe(error), attempts, park });
    if (settled === "dead") logger.error({ ...fields, attempts, reason }, "an event became a dead letter");
    return { outcome: settled, retryInMs: settled === "ahead" ? aheadMs(event.message.deliveryCount) : undefined };
  } catch (failure) {
    // The database is away: nothing is known of this run, and the event comes again.
    logger.warn({ ...fields, failure }, "an event's failure could not be noted: trying again");
    return { outcome: "retried", retryInMs: untilBack() };
  }
}

const longestUntilBackMs = 2_000;

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // Some libraries put a stack into the message.
  return storableText(text.replace(/\n\s+at [\s\S]*$/, ""));
}

import { fromBinary, type Message } from "@bufbuild/protobuf";
import { type CallContext, type Clock, createCall, runWithCall } from "@weft/context";
import { type Delivery, type Subscription, Unprocessable } from "../subscribe.ts";
import type { IncomingEvent } from "./incoming-event.ts";

export interface HandlerLimits {
  /** The handler's time, in milliseconds. */
  readonly handlerTimeoutMs: number;
  readonly clock: Clock;
  /** Aborts when the subscriber no longer waits. */
  readonly closing: AbortSignal;
}

/** The event's contents; what its own schema can't read never becomes readable. */
export function decodeEvent({ type }: Subscription, event: IncomingEvent): Message {
  try {
    return fromBinary(type.schema, event.message.data);
  } catch (cause) {
    throw new Unprocessable(`${event.subject} can't be decoded by its contract`, { cause });
  }
}

/**
 * Runs a handler as a call of the event's publisher: calls that it makes have its deadline and derive their
 * idempotency keys from the event's id. Rejects when the time is over, whether or not the handler listens.
 */
export function runHandler(
  limits: HandlerLimits,
  subscription: Subscription,
  event: IncomingEvent,
  attempt: number,
  message: Message,
): Promise<void> {
  const { id: idempotencyKey, correlationId, source: caller } = event;
  return withinTime(limits, event.subject, { idempotencyKey, correlationId, caller }, (signal) =>
    subscription.handler(message, deliveryOf(event, attempt, signal)),
  );
}

/**
 * Runs a handler for several events at once. Its calls have its deadline; an idempotency key they have only if it gives one, since the
 * next run of an event may be in another company.
 */
export function runBatchHandler(
  limits: HandlerLimits,
  { type, batch }: Subscription,
  events: readonly { readonly event: IncomingEvent; readonly message: Message }[],
): Promise<void> {
  return withinTime(limits, type.subject, { caller: events[0]?.event.source }, async (signal) => {
    await batch?.handler(
      events.map(({ event, message }) => ({ event: message, delivery: deliveryOf(event, 1, signal) })),
    );
  });
}

async function withinTime(
  { handlerTimeoutMs, clock, closing }: HandlerLimits,
  subject: string,
  fields: Partial<CallContext>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  closing.throwIfAborted();
  const over = new AbortController();
  const { signal } = over;
  const aborted = Promise.withResolvers<never>();
  const abort = (reason: unknown): void => {
    over.abort(reason);
    aborted.reject(reason);
  };
  const close = (): void => abort(closing.reason);
  const timer = setTimeout(
    () => abort(new Error(`the handler of ${subject} took longer than ${handlerTimeoutMs} ms`)),
    handlerTimeoutMs,
  );
  closing.addEventListener("abort", close);
  const call = createCall({ ...fields, deadline: clock.now() + handlerTimeoutMs, signal });
  try {
    await Promise.race([runWithCall(call, () => work(signal)), aborted.promise]);
  } finally {
    clearTimeout(timer);
    closing.removeEventListener("abort", close);
  }
}

function deliveryOf(event: IncomingEvent, attempt: number, signal: AbortSignal): Delivery {
  return {
    id: event.id,
    subject: event.subject,
    key: event.key,
    keySeq: event.keySeq ?? 0n,
    correlationId: event.correlationId,
    occurredAt: event.occurredAt,
    attempt,
    signal,
  };
}

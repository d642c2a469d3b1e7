import { fromBinary, type Message } from "@bufbuild/protobuf";
import { type Clock, createCall, runWithCall } from "@weft/context";
import { type Subscription, Unprocessable } from "../subscribe.ts";
import type { IncomingEvent } from "./incoming-event.ts";

export interface HandlerRun {
  readonly subscription: Subscription;
  readonly event: IncomingEvent;
  readonly attempt: number;
  /** The handler's time, in milliseconds. */
  readonly timeoutMs: number;
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
export async function runHandler(run: HandlerRun, message: Message): Promise<void> {
  const { subscription, event, attempt, timeoutMs, clock, closing } = run;
  const over = new AbortController();
  const timer = setTimeout(
    () => over.abort(new Error(`the handler of ${event.subject} took longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  const signal = AbortSignal.any([over.signal, closing]);
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  const call = createCall({
    correlationId: event.correlationId,
    deadline: clock.now() + timeoutMs,
    signal,
    caller: event.source,
    idempotencyKey: event.id,
  });
  const delivery = {
    id: event.id,
    subject: event.subject,
    key: event.key,
    keySeq: event.keySeq ?? 0n,
    correlationId: event.correlationId,
    occurredAt: event.occurredAt,
    attempt,
    signal,
  };
  try {
    signal.throwIfAborted();
    await Promise.race([runWithCall(call, () => subscription.handler(message, delivery)), aborted.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

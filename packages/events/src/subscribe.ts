import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import type { EventType } from "./event-type.ts";

/** What is known of an event besides its contents. */
export interface Delivery {
  /** The same at each delivery: the key for effects outside the database (Message-ID, idempotency key). */
  readonly id: string;
  readonly subject: string;
  readonly key: string;
  /** The event's number within its key, from 1 on. */
  readonly keySeq: bigint;
  readonly correlationId: string;
  readonly occurredAt: Date;
  /** Runs of the handler for this event, this one included. */
  readonly attempt: number;
  /** Aborts when the handler's time is over or the subscriber closes without waiting any longer. */
  readonly signal: AbortSignal;
}

export interface SubscriptionOptions {
  /** What becomes of a key after one of its events became a dead letter: its next events are handled (default), or become dead letters too until `unpark` of "@weft/events/inbox" lets it go. */
  readonly afterDeadLetter?: "continue" | "park";
}

/** An event type and what to do with each event of it. */
export interface Subscription {
  readonly type: EventType;
  readonly handler: (event: Message, delivery: Delivery) => Promise<void>;
  readonly options: SubscriptionOptions;
}

/**
 * Says what to do with each event of a type; `startSubscriber` (or runService) runs it. The handler runs in the inbox's transaction, which a use
 * case's `store.transaction` joins: its changes and the note that the event was handled are committed together, so
 * that each event has its effect exactly once, in order per key. A handler that throws is rolled back and runs again after a pause
 * that doubles; see RetryLater and Unprocessable.
 */
export function subscribe<Desc extends DescMessage>(
  type: EventType<Desc>,
  handler: (event: MessageShape<Desc>, delivery: Delivery) => Promise<void>,
  options: SubscriptionOptions = {},
): Subscription {
  // The subscriber decodes with the type's own schema, so that the event is of the handler's shape.
  return { type, handler: handler as Subscription["handler"], options };
}

/** Thrown by a handler whose means are away for a while: the event is delivered again, and this run does not count towards its dead letter. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  /** Milliseconds until the next run; the usual back-off when absent. */
  readonly delayMs: number | undefined;

  constructor(message: string, options: { readonly delayMs?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.delayMs = options.delayMs;
  }
}

/** Thrown by a handler that will never accept the event: it becomes a dead letter at once. */
export class Unprocessable extends Error {
  override readonly name = "Unprocessable";
}

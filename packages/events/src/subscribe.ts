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

/** An event and what is known of it, as a batch's handler gets it. */
export interface Received<Event extends Message = Message> {
  readonly event: Event;
  readonly delivery: Delivery;
}

export interface BatchOptions extends SubscriptionOptions {
  /** Events that the handler is given at once, at most; default 100. */
  readonly most?: number;
}

/** An event type and what to do with each event of it. */
export interface Subscription {
  readonly type: EventType;
  readonly handler: (event: Message, delivery: Delivery) => Promise<void>;
  /** Where several events may be handled at once. */
  readonly batch?: {
    readonly most: number;
    readonly handler: (received: readonly Received[]) => Promise<void>;
  };
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

/**
 * Like `subscribe`, for a handler that takes several events at once, in one transaction: those that wait, of any keys, those of one key in their
 * order. When it throws, nothing of the batch is left, and each of its events is handled in a batch of its own, so that one that fails
 * stands alone. `delivery.attempt` is 1 in company.
 */
export function subscribeBatch<Desc extends DescMessage>(
  type: EventType<Desc>,
  handler: (received: readonly Received<MessageShape<Desc>>[]) => Promise<void>,
  { most = 100, ...options }: BatchOptions = {},
): Subscription {
  const all = handler as NonNullable<Subscription["batch"]>["handler"];
  return {
    type,
    handler: (event, delivery) => all([{ event, delivery }]),
    batch: { most, handler: all },
    options,
  };
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

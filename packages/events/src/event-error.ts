export type EventErrorReason = "no-transaction" | "no-key" | "key-too-long" | "too-large" | "header-too-long";

/** An event that can't be published as it is; the message says what to change. */
export class EventError extends Error {
  override readonly name = "EventError";
  readonly reason: EventErrorReason;

  constructor(reason: EventErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

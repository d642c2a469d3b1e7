/** The circuit of this endpoint is open: nothing was sent. */
export class BreakerOpenError extends Error {
  override readonly name = "BreakerOpenError";
  /** Milliseconds until probes are let through; 0 while probes are under way and decide. */
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super(
      retryAfterMs > 0
        ? `The circuit is open; it lets probes through in ${Math.ceil(retryAfterMs)} ms.`
        : "The circuit is half open and all its probes are under way.",
    );
    this.retryAfterMs = retryAfterMs;
  }
}

export type BulkheadRejection = "full" | "timeout" | "deadline";

/** The bulkhead had no place for this call: nothing was sent. */
export class BulkheadRejectedError extends Error {
  override readonly name = "BulkheadRejectedError";
  readonly group: string;
  /**
   * `full`: no place in the queue either; `timeout`: queued for longer than the policy's queue timeout; `deadline`: for longer than the call
   * itself has time.
   */
  readonly reason: BulkheadRejection;
  constructor(group: string, reason: BulkheadRejection) {
    super(
      reason === "full"
        ? `Bulkhead "${group}" and its queue are full.`
        : `Bulkhead "${group}" had no place within the ${reason === "timeout" ? "queue timeout" : "call's own time"}.`,
    );
    this.group = group;
    this.reason = reason;
  }
}

export function isBreakerOpen(error: unknown): error is BreakerOpenError {
  return error instanceof BreakerOpenError;
}

export function isBulkheadRejected(error: unknown): error is BulkheadRejectedError {
  return error instanceof BulkheadRejectedError;
}

/** Refused on this side of the wire: the endpoint never saw the call, so it proves nothing about the endpoint. */
export function isLocalRejection(error: unknown): error is BreakerOpenError | BulkheadRejectedError {
  return isBreakerOpen(error) || isBulkheadRejected(error);
}

/** What an endpoint looked like when an attempt was to go somewhere. */
export interface CandidateExplanation {
  readonly instance: string;
  readonly epoch: number;
  /** What the balancer judges it by, lower is better; with consistent hashing its share of the ring, which says nothing of this call. */
  readonly score: number;
  /** Why it took no call; absent where it was a candidate. */
  readonly passedOver?: "tried before" | "unreachable" | "outlier" | "circuit open";
  readonly inFlight: number;
  readonly latencyMs: number;
  readonly breaker: "closed" | "open" | "half-open";
  /** Places of its bulkhead, where there is one. */
  readonly bulkhead?: { readonly running: number; readonly queued: number; readonly maxConcurrent: number };
}

export interface AttemptExplanation {
  /** Counts from 1; those that no server saw have the number of the attempt that they were part of. */
  readonly attempt: number;
  /** Milliseconds since the call began. */
  readonly atMs: number;
  readonly timeLeftMs: number;
  /** Of many who was picked, and those of the lowest scores. */
  readonly candidates: readonly CandidateExplanation[];
  /** How many more there were. */
  readonly omitted: number;
  /** The instance that it went to; absent when none would take it. */
  readonly picked?: string;
  readonly why: "balancer" | "trial of an outlier" | "none other admits" | "nothing admits";
  /** Retries that the budget still had. */
  readonly retryBudget: number;
  /** A status code by name. */
  outcome?: string;
  durationMs?: number;
}

/** What became of one call, as its client saw it. */
export interface CallExplanation {
  readonly traceId: string;
  /** `package.Service/Method`. */
  readonly method: string;
  /** When it began, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly attempts: AttemptExplanation[];
  outcome?: string;
  durationMs?: number;
}

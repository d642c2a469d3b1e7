/** A method's policy with every default filled in: what `@weft/policy` calls MethodPolicy, and the generated table holds. */
export interface ResolvedPolicy {
  readonly timeoutMs: number;
  readonly idempotent: boolean;
  readonly idempotencyKey: boolean;
  readonly retry: ResolvedRetry | undefined;
  readonly hedge: { readonly delayMs: number; readonly maxAttempts: number } | undefined;
  readonly circuitBreaker: ResolvedBreaker;
  readonly bulkhead: ResolvedBulkhead | undefined;
  readonly allowedCallers: readonly string[];
  readonly criticality: "sheddable" | "normal" | "critical";
  readonly balancer: ResolvedBalancer;
}

export type ResolvedBalancer =
  | { readonly kind: "peak-ewma" | "least-request" | "round-robin" | "weighted-round-robin" }
  /** Local names of the fields that lead to the key. */
  | { readonly kind: "consistent-hash"; readonly key: readonly string[] };

export interface ResolvedRetry {
  readonly maxAttempts: number;
  readonly perAttemptTimeoutMs: number | undefined;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly multiplier: number;
  readonly jitter: number;
  readonly codes: readonly string[];
}

export interface ResolvedBreaker {
  readonly trip:
    | { readonly kind: "consecutive"; readonly failures: number }
    | { readonly kind: "ratio"; readonly ratio: number; readonly volume: number; readonly windowMs: number };
  readonly openForMs: number;
  readonly halfOpenSuccesses: number;
}

export interface ResolvedBulkhead {
  readonly group: string;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly queueTimeoutMs: number | undefined;
}

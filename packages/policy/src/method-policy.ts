/** The gRPC status codes by name (https://grpc.io/docs/guides/status-codes/), OK excluded: an error has one of these. */
export type CodeName =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** What a call of one method may do: the contract's options with every default filled in. All durations are milliseconds. */
export interface MethodPolicy {
  /** The whole call, retries included. The caller's remaining time wins when it is shorter. */
  readonly timeoutMs: number;
  /** A repeat has no further effect: `idempotency_level` in the contract. */
  readonly idempotent: boolean;
  /** The server stores the response under the caller's key, which makes a repeat safe. */
  readonly idempotencyKey: boolean;
  /** Undefined where a repeat is not safe, or is switched off. */
  readonly retry: RetryPolicy | undefined;
  readonly hedge: HedgePolicy | undefined;
  readonly circuitBreaker: BreakerPolicy;
  readonly bulkhead: BulkheadPolicy | undefined;
  /** Services that may call; empty means every service. */
  readonly allowedCallers: readonly string[];
  /** What is shed first under load. */
  readonly criticality: Criticality;
  readonly balancer: BalancerPolicy;
}

/** How calls are spread over the instances. */
export type BalancerPolicy =
  | { readonly kind: "peak-ewma" | "least-request" | "round-robin" | "weighted-round-robin" }
  /** `key`: local names of the request's fields that lead to the value by which calls are spread. */
  | { readonly kind: "consistent-hash"; readonly key: readonly string[] };

export type Criticality = "sheddable" | "normal" | "critical";

export interface RetryPolicy {
  /** All attempts, the first included. */
  readonly maxAttempts: number;
  readonly perAttemptTimeoutMs: number | undefined;
  /** The wait before the second attempt, before jitter. */
  readonly baseDelayMs: number;
  /** No wait is longer. */
  readonly maxDelayMs: number;
  /** Growth from one wait to the next. */
  readonly multiplier: number;
  /** Each wait is multiplied by a random factor in [1 - jitter, 1]. */
  readonly jitter: number;
  readonly codes: readonly CodeName[];
}

export interface HedgePolicy {
  readonly delayMs: number;
  readonly maxAttempts: number;
}

export interface BreakerPolicy {
  readonly trip: BreakerTrip;
  /** How long an open circuit refuses before it lets probes through. */
  readonly openForMs: number;
  /** Successful probes that close it. */
  readonly halfOpenSuccesses: number;
}

export type BreakerTrip =
  | { readonly kind: "consecutive"; readonly failures: number }
  /** Opens when the last `windowMs` saw at least `volume` calls, of which at least the share `ratio` failed. */
  | { readonly kind: "ratio"; readonly ratio: number; readonly volume: number; readonly windowMs: number };

export interface BulkheadPolicy {
  /** Methods that name the same group share its places. */
  readonly group: string;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** Undefined: a queued call waits as long as its own deadline allows. */
  readonly queueTimeoutMs: number | undefined;
}

/** The resolved policies of one service, as the generator writes them. */
export interface ServicePolicies {
  /** The proto full name, such as `shop.user.v1.UserService`. */
  readonly service: string;
  /** By the method's local name, such as `getUser`. */
  readonly methods: Readonly<Record<string, MethodPolicy>>;
}

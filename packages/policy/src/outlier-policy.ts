/** When an endpoint is an outlier, and for how long it is then left out. All durations are milliseconds. */
export interface OutlierPolicy {
  /** How often the owner calls `sweep`: rates are judged over one interval. */
  readonly intervalMs: number;
  /** An ejection lasts this long times the endpoint's multiplier, which grows with each ejection in short succession. */
  readonly baseEjectionMs: number;
  /** No ejection is longer. */
  readonly maxEjectionMs: number;
  /** Each ejection's length is multiplied by a random factor in [1 - jitter, 1], so that callers don't return all at once. */
  readonly jitter: number;
  /** The share of the endpoints that may be out at once, at most 0.5; rounded down. */
  readonly maxEjectedShare: number;
  /** Failures in a row that eject at once, where the other endpoints are well. */
  readonly consecutiveFailures: number;
  /** Trial calls that must succeed, one after the other, before an endpoint is back. */
  readonly trials: number;
  readonly successRate: SuccessRatePolicy | undefined;
  readonly failurePercentage: FailurePercentagePolicy | undefined;
}

/** Ejects who succeeds less than the others do: below their mean - `stdevFactor` × their standard deviation. */
export interface SuccessRatePolicy {
  readonly stdevFactor: number;
  /** Endpoints with enough calls that it takes to compare. */
  readonly minimumHosts: number;
  /** Calls in the interval that it takes to judge an endpoint. */
  readonly requestVolume: number;
}

/** Ejects whose failures are at least `threshold` percent of its calls, unless the others fare no better. */
export interface FailurePercentagePolicy {
  readonly threshold: number;
  readonly minimumHosts: number;
  readonly requestVolume: number;
}

/**
 * Made for small fleets at tens of calls a second, where gRFC A50's (10 s, 5 hosts, 100 calls, 10 % of the fleet) would never judge.
 * - An interval of 1 s finds a partly failing endpoint within two; five failures in a row find a dead one sooner.
 * - A first ejection of 5 s and a longest of 30 s: with one trial call each, an endpoint that stays broken costs 6 calls in the
 *   first 100 s and 2 a minute from then on.
 * - Volumes of 5 are enough, because a difference must also be larger than chance (see `worseThanOthers`).
 */
export const defaultOutlierPolicy: OutlierPolicy = {
  intervalMs: 1_000,
  baseEjectionMs: 5_000,
  maxEjectionMs: 30_000,
  jitter: 0.2,
  maxEjectedShare: 0.5,
  consecutiveFailures: 5,
  trials: 3,
  successRate: { stdevFactor: 1.9, minimumHosts: 3, requestVolume: 5 },
  failurePercentage: { threshold: 50, minimumHosts: 2, requestVolume: 5 },
};

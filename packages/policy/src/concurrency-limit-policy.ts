/** All durations are milliseconds. */
export interface ConcurrencyLimitPolicy {
  /** The limit before anything is known: what a server that has just started may get at once. */
  readonly initialLimit: number;
  /** The least limit while nothing is refused: room for a burst after a quiet time, or after a machine that stood still for a moment. */
  readonly quietLimit: number;
  /** As well: what one call after the other would be worked off in this time. Of quick calls, many may come at once. */
  readonly burstMs: number;
  /** Latencies below this are no congestion, until calls are refused. */
  readonly negligibleMs: number;
  /** The limit is never below. */
  readonly minLimit: number;
  readonly maxLimit: number;
  /** A decision needs at least this much time and this many calls. */
  readonly windowMs: number;
  readonly windowCalls: number;
  /** The share of refused arrivals from which on a window counts as overload. */
  readonly overloadShare: number;
  /** How often the unloaded latency is measured anew while the overload lasts. */
  readonly probeEveryMs: number;
  readonly loop: LoopGuardPolicy;
}

export interface LoopGuardPolicy {
  /** A loop delay above this is too long, if it lasts. */
  readonly targetDelayMs: number;
  /** How long it must last; a single pause, however long, is none of it. */
  readonly standingMs: number;
  /** A single turn of the loop that begins calls for longer than this is overload all the same; four times that in a process that has just started. */
  readonly longTurnMs: number;
  /** The most and the least time for which one turn of the loop begins calls, once it is overloaded. */
  readonly maxTurnMs: number;
  readonly minTurnMs: number;
  /** The share of its time that the loop must be at work for the overload to last. */
  readonly busyShare: number;
}

export const defaultConcurrencyLimitPolicy: ConcurrencyLimitPolicy = {
  initialLimit: 200,
  quietLimit: 32,
  burstMs: 50,
  negligibleMs: 10,
  minLimit: 4,
  maxLimit: 10_000,
  windowMs: 20,
  windowCalls: 10,
  overloadShare: 0.1,
  probeEveryMs: 5_000,
  loop: { targetDelayMs: 20, standingMs: 100, longTurnMs: 50, maxTurnMs: 50, minTurnMs: 2, busyShare: 0.9 },
};

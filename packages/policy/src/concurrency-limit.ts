import { Baseline } from "./concurrency-limit-baseline.ts";
import { GradientLimit } from "./concurrency-limit-gradient.ts";
import { LoopGuard } from "./concurrency-limit-loop.ts";
import { type ConcurrencyLimitPolicy, defaultConcurrencyLimitPolicy } from "./concurrency-limit-policy.ts";
import type { Criticality } from "./method-policy.ts";

/**
 * `answered`: the handler ran to its end, so that the call's duration tells how long such calls take here. `ignored`: it only
 * frees its place (a failure, a cancelled or expired call; a stream, which is ended so as soon as it is established).
 */
export type LimitOutcome = "answered" | "ignored";

/** The calls of one method. `now` is the owner's clock in milliseconds, the same one everywhere. */
export interface MethodLimit {
  /** Whether the call may run. When true, `end` must be called exactly once; when false, never. O(1), allocates nothing. */
  tryBegin(criticality: Criticality, now: number): boolean;
  /** `startedAt` is what `tryBegin` was given. */
  end(startedAt: number, now: number, outcome: LimitOutcome): void;
}

export interface ConcurrencyLimit {
  /** The handle for a method's calls; the same one for the same name. */
  method(name: string): MethodLimit;
  /**
   * How late the owner's timer fired, and the share of the time since the last report in which the event loop didn't sleep (0 to 1). Call it
   * every 20 ms or so; without it only one very long turn counts as overload of the loop.
   */
  observeLoop(delayMs: number, utilization: number, now: number): void;
  /** Whether the event loop is what can't keep up. */
  readonly isLoopOverloaded: boolean;
  getState(): ConcurrencyLimitState;
}

export interface ConcurrencyLimitState {
  readonly limit: number;
  readonly inFlight: number;
  readonly phase: "open" | "overloaded" | "probing";
  /** Calls that would have been in flight if none had waited, in the busiest time of late. */
  readonly needed: number;
  readonly admitted: number;
  readonly rejected: Readonly<Record<Criticality, number>>;
  /** Of these, refused because of the event loop. */
  readonly rejectedByLoop: number;
  /** How long one turn of the loop may begin calls; undefined while the loop isn't overloaded. */
  readonly turnMs: number | undefined;
  /** By method: milliseconds that a call takes when it doesn't wait; 0 while unknown. */
  readonly baselines: Readonly<Record<string, number>>;
}

export interface ConcurrencyLimitOptions {
  /**
   * Asked when the first call of a turn of the event loop begins: calls `ended` with the time when the calls of the loop's present turn have
   * computed, such as `(ended) => setImmediate(() => ended(clock.now()))`. At most one is pending. Without it the loop isn't guarded.
   */
  onTurn?(ended: (now: number) => void): void;
  /** What differs from `defaultConcurrencyLimitPolicy`. */
  readonly policy?: Partial<ConcurrencyLimitPolicy>;
}

/** A class of calls keeps its reserve for this long after its last call. */
const reserveMs = 10_000;

/**
 * Bounds the calls in flight by what the server turns out to do, and sheds the rest at once, the least critical first. Two
 * signals: latency against concurrency (after the gradient limits of Netflix's concurrency-limits and of Envoy, see
 * `GradientLimit`) for handlers that wait for something, and the event loop (see `LoopGuard`) for those that compute.
 *
 * - While few calls are refused the limit is wide, about five times what is needed where durations vary much: bursts pass. In
 *   overload it is 1.5 to 3 times that. Never below `minLimit`, so a server that can do only one call at a time, waiting, queues
 *   three.
 * - The latency without waiting is learned per method under light load. In overload it is measured by a probe: for some dozens
 *   of calls the limit is so tight that none waits. So a dependency that became slower is first taken for overload, for
 *   seconds, and then believed.
 * - While critical calls are seen (within ten seconds), the others leave them a tenth of the limit, at least one place; while
 *   more than sheddable ones are seen, those may fill 70 %. Critical calls among others may go a quarter over the limit, which
 *   moves. Else the whole limit is anybody's, and nobody's more.
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions = {}): ConcurrencyLimit {
  const policy: ConcurrencyLimitPolicy = { ...defaultConcurrencyLimitPolicy, ...options.policy };
  const { onTurn } = options;
  const gradient = new GradientLimit(policy);
  const guard = new LoopGuard(policy.loop);
  const methods = new Map<string, { baseline: Baseline; limit: MethodLimit }>();
  const rejected = { sheddable: 0, normal: 0, critical: 0 };
  let rejectedByLoop = 0;
  let admitted = 0;
  let criticalAt = Number.NEGATIVE_INFINITY;
  let normalAt = Number.NEGATIVE_INFINITY;
  let sheddableAt = Number.NEGATIVE_INFINITY;

  const endTurn = (now: number): void => guard.endTurn(now);

  function places(criticality: Criticality, now: number): number {
    const { limit } = gradient;
    switch (criticality) {
      case "critical":
        criticalAt = now;
        return now - Math.max(normalAt, sheddableAt) < reserveMs ? gradient.widestLimit * 1.25 : limit;
      case "normal":
        normalAt = now;
        return now - criticalAt < reserveMs ? Math.min(limit * 0.9, limit - 1) : limit;
      case "sheddable":
        sheddableAt = now;
        return now - Math.max(normalAt, criticalAt) < reserveMs ? limit * 0.7 : limit;
    }
  }

  function tryBegin(baseline: Baseline, criticality: Criticality, now: number): boolean {
    if (onTurn && !guard.admits(criticality, now)) {
      rejected[criticality] += 1;
      rejectedByLoop += 1;
      return false;
    }
    if (gradient.taken + 1 > places(criticality, now)) {
      gradient.refuse(now);
      rejected[criticality] += 1;
      return false;
    }
    admitted += 1;
    gradient.begin(baseline, now);
    if (onTurn && guard.begin(now)) onTurn(endTurn);
    return true;
  }

  function createMethod(): { baseline: Baseline; limit: MethodLimit } {
    const baseline = new Baseline();
    return {
      baseline,
      limit: {
        tryBegin: (criticality, now) => tryBegin(baseline, criticality, now),
        end(startedAt, now, outcome) {
          if (outcome === "answered") gradient.complete(baseline, startedAt, now);
          else gradient.ignore(startedAt, now);
        },
      },
    };
  }

  return {
    method(name) {
      let method = methods.get(name);
      if (!method) {
        method = createMethod();
        methods.set(name, method);
      }
      return method.limit;
    },
    observeLoop: (delayMs, utilization, now) => guard.observe(delayMs, utilization, now),
    get isLoopOverloaded() {
      return guard.state.kind === "overloaded";
    },
    getState: () => ({
      limit: Math.floor(gradient.limit),
      inFlight: gradient.inFlight.count,
      phase: gradient.phase.kind,
      needed: gradient.needed,
      admitted,
      rejected: { ...rejected },
      rejectedByLoop,
      turnMs: guard.state.kind === "overloaded" ? guard.state.turnMs : undefined,
      baselines: Object.fromEntries([...methods].map(([name, { baseline }]) => [name, baseline.mean])),
    }),
  };
}

import type { Baseline } from "./concurrency-limit-baseline.ts";
import { Cohort } from "./concurrency-limit-cohort.ts";
import { InFlight } from "./concurrency-limit-in-flight.ts";
import type { ConcurrencyLimitPolicy } from "./concurrency-limit-policy.ts";

export type GradientPhase =
  /** Few or no calls are refused: the limit is wide. */
  | { readonly kind: "open" }
  /** Many are refused: the limit is close to what the server can do. */
  | { readonly kind: "overloaded"; readonly probeAt: number }
  /** Overloaded still, and for a moment so tight that no call waits: latency is measured. */
  | { readonly kind: "probing"; readonly cohort: Cohort };

/** No window is longer by need of its calls' latency: slower calls are averaged over windows instead. */
const longestWindowMs = 250;
/** Time constant of that. */
const slowWorkMs = 2_000;
/** The busiest time is forgotten with this time constant. */
const forgetMs = 30_000;
/** The excess of refusals over `overloadShare`, summed over windows, that is overload: one window of half refused, or many of a few. */
const overloadExcess = 0.4;
/** Time constant by which baselines and spread follow what is measured while calls don't wait for each other; and while they may. */
const followMs = 5_000;
const slowFollowMs = 60_000;
/** Calls after which what is smoothed is half new. */
const smoothingCalls = 60;
/** The share of the concurrency that the server can do which a probe allows: below one, or a wrong baseline would prove itself. */
const probeShare = 0.7;
/** Overload that begins is probed after this long: the baseline may date from before a change. */
const firstProbeAfterMs = 250;

/**
 * The limit, from the gradient between unloaded and measured latency. limit × (unloaded / measured) is, by Little's law,
 * completions per second × unloaded latency: the calls that would be in flight if none waited, here called `needed`. It is
 * measured as the sum of the completed calls' baselines over the time, which lags less than latency does, and which
 * holds for any mix of methods.
 */
export class GradientLimit {
  limit: number;
  readonly inFlight = new InFlight();
  phase: GradientPhase = { kind: "open" };
  /** Mean relative deviation of latencies from their baseline under light load: 0 when all take the same, 0.74 when exponential. */
  spread = 0.5;
  /** The busiest of late. */
  needed = 0;
  readonly #policy: ConcurrencyLimitPolicy;
  readonly #touched = new Set<Baseline>();
  /** `needed` of the windows of late, and of those of the overload. */
  #recentlyNeeded = 0;
  #overloadNeeded = 0;
  /** The part of it that slow calls need. */
  #slowNeeded = 0;
  /** The most calls at once, of late, that were neither refused nor had to wait. */
  #carried = 0;
  /** A call's mean baseline, smoothed; 0 before the first window. */
  #usualMs = 0;
  /** Measured latency in relation to the baselines', smoothed. */
  #ratio = 1;
  #probeNotBefore = 0;
  /** CUSUM of the share refused. */
  #excess = 0;
  #startedAt = 0;
  #idleSince = 0;
  #idleMs = 0;
  #arrivals = 0;
  #refused = 0;
  #peak = 0;
  #calls = 0;
  #workMs = 0;
  #slowWorkMs = 0;
  #latencyMs = 0;
  #deviationMs = 0;

  constructor(policy: ConcurrencyLimitPolicy) {
    this.#policy = policy;
    this.limit = policy.initialLimit;
  }

  /** Places that are taken. Calls that have run for long need none, up to as many again, or hanging ones would take them all. */
  get taken(): number {
    return this.inFlight.count - Math.min(this.inFlight.old, Math.floor(Math.max(this.limit, this.#policy.quietLimit)));
  }

  begin(baseline: Baseline, now: number): void {
    baseline.begin(now);
    if (this.inFlight.count === 0) this.#endIdleness(now);
    this.#arrivals += 1;
    this.inFlight.begin(now);
    if (this.taken > this.#peak) this.#peak = this.taken;
    if (this.phase.kind === "probing") this.phase.cohort.begin(now);
  }

  #endIdleness(now: number): void {
    const idle = now - Math.max(this.#idleSince, this.#startedAt);
    this.#idleMs += idle;
    if (this.phase.kind === "open" || idle < this.#policy.windowMs) return;
    // A server that had nothing to do isn't overloaded.
    this.phase = { kind: "open" };
    this.#excess = 0;
    this.#startWindow(now);
  }

  refuse(now: number): void {
    this.inFlight.advance(now);
    // What went before says nothing about the overload that begins.
    if (this.#refused === 0 && this.phase.kind === "open") this.#startWindow(now);
    this.#arrivals += 1;
    this.#refused += 1;
  }

  /** The place is free again; the call says nothing about latency. */
  ignore(startedAt: number, now: number): void {
    this.#leave(startedAt, now);
    if (this.phase.kind === "probing") this.phase.cohort.ignore(startedAt);
  }

  complete(baseline: Baseline, startedAt: number, now: number): void {
    const latency = Math.max(0, now - startedAt);
    this.#leave(startedAt, now);
    this.#touched.add(baseline);
    if (this.phase.kind === "probing") {
      if (baseline.mean === 0) baseline.add(latency, startedAt);
      this.phase.cohort.end(startedAt, latency, baseline.mean);
      if (this.phase.cohort.isComplete(now)) this.#learn(this.phase.cohort, now);
      return;
    }
    baseline.add(latency, startedAt);
    const base = baseline.mean;
    this.#calls += 1;
    this.#latencyMs += latency;
    this.#workMs += base;
    if (base > longestWindowMs) this.#slowWorkMs += base;
    this.#deviationMs += Math.abs(latency - base);
    if (this.#calls < this.#policy.windowCalls) return;
    // Two latencies long: calls that began together end together.
    const latenciesMs = Math.min(longestWindowMs, (2 * this.#workMs) / this.#calls);
    if (now - this.#startedAt >= Math.max(this.#policy.windowMs, latenciesMs)) this.#endWindow(now);
  }

  #leave(startedAt: number, now: number): void {
    this.inFlight.end(startedAt, now);
    if (this.inFlight.count === 0) this.#idleSince = now;
    if (this.phase.kind === "probing" && this.phase.cohort.waits && this.taken < this.limit)
      this.phase.cohort.open(now);
  }

  #startWindow(now: number): void {
    this.#startedAt = now;
    this.#idleMs = 0;
    this.#arrivals = 0;
    this.#refused = 0;
    this.#peak = this.taken;
    this.#calls = 0;
    this.#workMs = 0;
    this.#slowWorkMs = 0;
    this.#latencyMs = 0;
    this.#deviationMs = 0;
  }

  #endWindow(now: number): void {
    const elapsed = now - this.#startedAt;
    this.#slowNeeded += (this.#slowWorkMs / elapsed - this.#slowNeeded) * (1 - Math.exp(-elapsed / slowWorkMs));
    // What bursts need counts, not what they need on average.
    const busy = Math.max(elapsed - this.#idleMs, 1e-3);
    const needed = (this.#workMs - this.#slowWorkMs) / busy + this.#slowNeeded;
    const base = Math.max(this.#workMs / this.#calls, 1e-3);
    const smoothing = this.#calls / (this.#calls + smoothingCalls);
    this.#ratio += (this.#latencyMs / Math.max(this.#workMs, 1e-3) - this.#ratio) * smoothing;
    // Latency that grows is taken for waiting until a probe shows otherwise, or a creeping overload would raise its own limit.
    const waiting = this.#ratio > 1.3;
    const light = this.#peak <= this.limit / 2;
    const follow = this.#refused > 0 || (waiting && !light) ? 0 : elapsed / (waiting ? slowFollowMs : followMs);
    for (const baseline of this.#touched) baseline.settle(follow);
    this.#touched.clear();
    // Where calls waited, deviation is no property of theirs.
    if (this.#refused === 0 && this.#latencyMs <= 1.1 * this.#workMs) {
      this.#learnSpread(this.#deviationMs / this.#workMs, 1 - Math.exp(-elapsed / followMs));
    }
    this.#usualMs = this.#usualMs === 0 ? base : this.#usualMs + (base - this.#usualMs) * smoothing;
    this.#recentlyNeeded += (needed - this.#recentlyNeeded) * smoothing;
    this.needed = Math.max(this.#recentlyNeeded, this.needed * Math.exp(-elapsed / forgetMs));
    // Those that take long show in what is in flight before they show in what was completed.
    const wasEasy = this.#refused === 0 && this.#latencyMs <= 1.3 * this.#workMs;
    this.#carried = Math.max(wasEasy ? this.#peak : 0, this.#carried * Math.exp(-elapsed / forgetMs));
    const share = this.#refused / Math.max(1, this.#arrivals);
    this.#excess = Math.max(0, this.#excess + share - this.#policy.overloadShare);
    if (this.phase.kind === "overloaded" ? share >= this.#policy.overloadShare : this.#excess >= overloadExcess)
      this.#tighten(needed, now);
    else this.#widen();
    this.#startWindow(now);
  }

  #tighten(needed: number, now: number): void {
    switch (this.phase.kind) {
      case "open":
        this.#overloadNeeded = needed;
        this.phase = { kind: "overloaded", probeAt: Math.max(now + firstProbeAfterMs, this.#probeNotBefore) };
        break;
      case "overloaded":
        this.#overloadNeeded = (this.#overloadNeeded + needed) / 2;
        if (now >= this.phase.probeAt) {
          this.#probe(now);
          return;
        }
        break;
      case "probing":
        return;
    }
    this.limit = this.#tight();
  }

  #widen(): void {
    if (this.phase.kind === "overloaded") {
      this.phase = { kind: "open" };
      this.#excess = 0;
    }
    const { quietLimit, burstMs, negligibleMs, minLimit } = this.#policy;
    const times = Math.max(2.5 + 4 * this.spread, negligibleMs / this.#usualMs);
    const roomy = times * this.needed + minLimit;
    const open = this.#clamp(Math.max(quietLimit, burstMs / this.#usualMs, roomy, 2 * this.#carried));
    this.limit = this.limit < open ? Math.min(open, this.limit * 1.25 + 1) : Math.max(open, this.limit * 0.95);
  }

  #probe(now: number): void {
    this.limit = this.#clamp(probeShare * this.#overloadNeeded);
    this.phase = { kind: "probing", cohort: new Cohort(now, 20 + 40 * this.spread ** 2) };
    this.#touched.clear();
  }

  #learn({ since, ratio, spread }: Cohort, now: number): void {
    // Close to one is chance, half of which is believed.
    const factor = Math.min(10, Math.max(0.1, ratio > 0.8 && ratio < 1.3 ? (1 + ratio) / 2 : ratio));
    for (const baseline of this.#touched) baseline.scale(factor);
    this.#ratio /= factor;
    this.#usualMs *= factor;
    this.#overloadNeeded *= factor;
    this.#recentlyNeeded *= factor;
    this.#slowNeeded *= factor;
    this.needed *= factor;
    // Latency that fell with the limit may have been waiting even now: look again soon, until it no longer falls.
    const again = ratio <= 0.8 && this.limit > this.#policy.minLimit;
    const pause = again ? firstProbeAfterMs : Math.max(this.#policy.probeEveryMs, 20 * (now - since));
    if (ratio > 0.8 && ratio < 1.3) this.#learnSpread(spread, 0.5);
    this.#endProbe(now, pause);
  }

  #endProbe(now: number, pause: number): void {
    this.#probeNotBefore = now + pause;
    this.phase = { kind: "overloaded", probeAt: this.#probeNotBefore };
    this.limit = this.#tight();
    this.#touched.clear();
    this.#startWindow(now);
  }

  #learnSpread(measured: number, weight: number): void {
    this.spread += (Math.min(1.5, measured) - this.spread) * weight;
  }

  /** Where a probe, which makes the limit tight, doesn't count. */
  get widestLimit(): number {
    return this.phase.kind === "probing" ? Math.max(this.limit, this.#tight()) : this.limit;
  }

  /**
   * Enough to keep the server at work between one call's end and the next one's begin, and not less than it has carried of late: what
   * makes a machine slow for a moment is no reason to refuse what it could do before, and does again.
   */
  #tight(): number {
    return this.#clamp(Math.max((1.5 + 2 * this.spread) * this.#overloadNeeded, this.#carried));
  }

  #clamp(limit: number): number {
    return Math.min(this.#policy.maxLimit, Math.max(this.#policy.minLimit, limit));
  }
}

import type { LoopGuardPolicy } from "./concurrency-limit-policy.ts";
import type { Criticality } from "./method-policy.ts";

export type LoopGuardState =
  | { readonly kind: "calm" }
  /** One turn of the loop begins calls for `turnMs` at most; what else it finds in the sockets is refused. */
  | { readonly kind: "overloaded"; readonly turnMs: number };

/** Calls of one turn that are begun in any case before a calm loop is taken for overloaded. */
const leastCalls = 8;
/** Before so many calls have begun, code is not compiled yet: a turn may take longer, so many times. */
const cold = { calls: 500, times: 4 };
/** Calls after which what is smoothed is half new. */
const smoothingCalls = 8;
/** Of the turn's time. */
const shares: Readonly<Record<Criticality, number>> = { sheddable: 0.5, normal: 1, critical: 10 };

/**
 * Sheds what the event loop can't take. Handlers that compute run one after the other in the turn that read their
 * requests, so no two are in flight and the queue stands in the sockets; but the time since the turn's first call
 * began is how long the present one waited, at least. Overload is a loop delay that stands (CoDel: its minimum over a while,
 * not a spike); from then on a turn gets as little time as still keeps the loop busy.
 */
export class LoopGuard {
  state: LoopGuardState = { kind: "calm" };
  readonly #policy: LoopGuardPolicy;
  #turnStartedAt = 0;
  #inTurn = false;
  #turnCalls = 0;
  /** What a call takes of the loop's time, with what its turn does besides; smoothed. */
  #callMs = 0;
  /** Since when each report was above the target; undefined after one that wasn't. */
  #aboveSince: number | undefined;
  #intervalStartedAt = 0;
  #busyMs = 0;
  #begun = 0;
  #refused = 0;
  /** Calls that have begun, ever. */
  #seen = 0;

  constructor(policy: LoopGuardPolicy) {
    this.#policy = policy;
  }

  /** Whether a call that was read now may begin. */
  admits(criticality: Criticality, now: number): boolean {
    if (this.#fits(criticality, now)) return true;
    this.#refused += 1;
    return false;
  }

  #fits(criticality: Criticality, now: number): boolean {
    if (!this.#inTurn) return true;
    const spent = now - this.#turnStartedAt;
    switch (this.state.kind) {
      case "calm":
        if (this.#turnCalls < leastCalls || spent <= this.#longTurnMs) return true;
        this.#overload(now);
        return criticality === "critical";
      case "overloaded":
        // Calls that are held back until the turn's refusals have left haven't spent their time yet.
        return Math.max(spent, this.#turnCalls * this.#callMs) < this.state.turnMs * shares[criticality];
    }
  }

  get #longTurnMs(): number {
    return this.#policy.longTurnMs * (this.#seen < cold.calls ? cold.times : 1);
  }

  /** A call begins; true when it is the first of its turn. */
  begin(now: number): boolean {
    this.#turnCalls += 1;
    this.#begun += 1;
    this.#seen += 1;
    if (this.#inTurn) return false;
    this.#inTurn = true;
    this.#turnStartedAt = now;
    return true;
  }

  endTurn(now: number): void {
    const tookMs = now - this.#turnStartedAt;
    this.#busyMs += tookMs;
    const weight = this.#callMs === 0 ? 1 : this.#turnCalls / (this.#turnCalls + smoothingCalls);
    // A pause of the whole process is none of theirs.
    const callMs = Math.min(tookMs, this.#policy.longTurnMs) / this.#turnCalls;
    this.#callMs += (callMs - this.#callMs) * weight;
    this.#inTurn = false;
    this.#turnCalls = 0;
    if (this.state.kind === "overloaded") this.#adapt(now);
  }

  observe(delayMs: number, utilization: number, now: number): void {
    // A loop that sleeps has no queue: who is late to wake it is the machine, which has others to run.
    if (delayMs <= this.#policy.targetDelayMs || utilization < this.#policy.busyShare) {
      this.#aboveSince = undefined;
    } else if (this.#aboveSince === undefined) {
      this.#aboveSince = now;
    } else if (this.state.kind === "calm" && now - this.#aboveSince >= this.#policy.standingMs) {
      this.#overload(now);
    }
    if (this.state.kind === "overloaded") this.#adapt(now);
  }

  #overload(now: number): void {
    this.state = { kind: "overloaded", turnMs: this.#policy.minTurnMs };
    this.#startInterval(now);
  }

  #startInterval(now: number): void {
    this.#intervalStartedAt = now;
    this.#busyMs = 0;
    this.#begun = 0;
    this.#refused = 0;
  }

  #adapt(now: number): void {
    const { standingMs, busyShare, minTurnMs, maxTurnMs } = this.#policy;
    const elapsed = now - this.#intervalStartedAt;
    if (this.state.kind !== "overloaded" || elapsed < standingMs) return;
    const busy = this.#busyMs >= busyShare * elapsed || this.#aboveSince !== undefined;
    // The time that all that came would have taken, at what the begun ones took.
    const offeredMs = (this.#busyMs * (this.#begun + this.#refused)) / Math.max(1, this.#begun);
    const { turnMs: before } = this.state;
    const turnMs = busy ? Math.max(minTurnMs, before / 2) : before * (offeredMs >= busyShare * elapsed ? 2 : 4);
    this.state = turnMs >= maxTurnMs ? { kind: "calm" } : { kind: "overloaded", turnMs };
    this.#startInterval(now);
  }
}

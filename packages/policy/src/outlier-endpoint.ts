import type { EjectionCause, OutlierEndpoint, OutlierEndpointState, OutlierOutcome, OutlierState } from "./outlier.ts";
import type { Tally } from "./outlier-judgement.ts";
import type { OutlierPolicy } from "./outlier-policy.ts";

/** What an endpoint asks of the fleet that it is part of. */
export interface OutlierFleet {
  readonly policy: OutlierPolicy;
  /** Failures in a row that tell something about `endpoint` as the others fare now. */
  tellingRun(endpoint: TrackedEndpoint): number;
  /** Ejects if there is room. */
  eject(endpoint: TrackedEndpoint, cause: EjectionCause): boolean;
  probe(endpoint: TrackedEndpoint): void;
  readmit(endpoint: TrackedEndpoint): void;
  remove(endpoint: TrackedEndpoint): void;
}

const inService: OutlierState = { kind: "in" };

/** The state machine of one endpoint, and what it counts. The fleet decides when it moves. */
export class TrackedEndpoint implements OutlierEndpoint {
  readonly id: string;
  admits = true;
  state: OutlierState = inService;
  multiplier = 0;
  ejections = 0;
  /** Failures in a row, and how many of the latest of them brought no answer at all. */
  run = 0;
  silentRun = 0;
  /** The interval under way, and the last one that was judged. */
  tally: Tally = { successes: 0, failures: 0, refused: 0 };
  judged: Tally = { successes: 0, failures: 0, refused: 0 };
  /** Sweeps that found too few calls in `tally` to judge. */
  carried = 0;
  /** Moves with each change of state: an outcome counts only in the period in which its call began. */
  #period = 0;
  /** The run at which the fleet is asked next: asking costs a look at all endpoints. */
  #askAt: number;
  #trialsUnderWay = 0;
  readonly #fleet: OutlierFleet;

  constructor(id: string, fleet: OutlierFleet) {
    this.id = id;
    this.#fleet = fleet;
    this.#askAt = fleet.policy.consecutiveFailures;
  }

  get isTrial(): boolean {
    return this.state.kind === "probing";
  }

  begin(): number {
    if (this.state.kind === "probing") {
      this.#trialsUnderWay += 1;
      this.admits = false;
    }
    return this.#period;
  }

  record(outcome: OutlierOutcome, began: number): void {
    if (began !== this.#period) return;
    switch (this.state.kind) {
      case "in":
        this.#count(outcome);
        return;
      case "probing":
        this.#settleTrial(outcome, this.state);
        return;
      case "ejected":
        return;
    }
  }

  #count(outcome: OutlierOutcome): void {
    switch (outcome) {
      case "success":
        this.tally.successes += 1;
        if (this.run > 0) this.endRun();
        return;
      case "failure":
      case "silence":
        this.tally.failures += 1;
        this.run += 1;
        this.silentRun = outcome === "silence" ? this.silentRun + 1 : 0;
        if (this.run >= this.#askAt) this.#judgeRun();
        return;
      case "refused":
        this.tally.refused += 1;
        return;
      case "ignored":
        return;
    }
  }

  #judgeRun(): void {
    const telling = this.#fleet.tellingRun(this);
    const cause = this.silentRun >= this.#fleet.policy.consecutiveFailures ? "silence" : "consecutive";
    if (this.run >= telling && this.#fleet.eject(this, cause)) return;
    this.#askAt = this.run * 2;
  }

  #settleTrial(outcome: OutlierOutcome, state: Extract<OutlierState, { kind: "probing" }>): void {
    this.#trialsUnderWay -= 1;
    this.admits = this.#trialsUnderWay === 0;
    switch (outcome) {
      case "success":
        this.state = { ...state, successes: state.successes + 1 };
        if (this.state.successes >= this.#fleet.policy.trials) this.#fleet.readmit(this);
        return;
      case "failure":
      case "refused":
        this.#fleet.eject(this, state.cause === "silence" ? "consecutive" : state.cause);
        return;
      case "silence":
        this.#fleet.eject(this, "silence");
        return;
      case "ignored":
        return;
    }
  }

  unreachable(): boolean {
    return this.state.kind !== "ejected" && this.#fleet.eject(this, "silence");
  }

  reachable(): void {
    if (this.state.kind === "ejected" && this.state.cause === "silence") this.#fleet.probe(this);
  }

  forget(): void {
    this.#fleet.remove(this);
  }

  /** For the fleet: moves to `state` with clean counts. */
  enter(state: OutlierState): void {
    this.state = state;
    this.#period += 1;
    this.#trialsUnderWay = 0;
    this.admits = state.kind !== "ejected";
    this.endRun();
    clear(this.tally);
    clear(this.judged);
    this.carried = 0;
  }

  endRun(): void {
    this.run = 0;
    this.silentRun = 0;
    this.#askAt = this.#fleet.policy.consecutiveFailures;
  }

  /** For the fleet: the interval is over, `judged` holds what it brought. */
  endInterval(): void {
    const { judged, tally } = this;
    this.judged = tally;
    this.tally = judged;
    clear(judged);
    this.carried = 0;
  }

  /** For the fleet, each sweep: the others may fare better by now. */
  askAgain(): void {
    this.#askAt = this.#fleet.policy.consecutiveFailures;
  }

  getState(): OutlierEndpointState {
    const { id, state, multiplier, run, ejections } = this;
    return { id, state, multiplier, consecutiveFailures: run, ejections };
  }
}

function clear(tally: Tally): void {
  tally.successes = 0;
  tally.failures = 0;
  tally.refused = 0;
}

import type { Clock } from "@weft/context";
import type { OutlierPolicy } from "./outlier-policy.ts";

/**
 * How a call ended, as far as its endpoint goes.
 * - `success`: the endpoint answered; errors of the client's own making are answers too.
 * - `failure`: an answer that blames the endpoint (UNAVAILABLE, INTERNAL, UNKNOWN, DATA_LOSS).
 * - `silence`: no answer: the attempt's own timeout, a lost or refused connection. A failure in every other respect.
 * - `refused`: the endpoint was too busy (its own RESOURCE_EXHAUSTED). Counts only in comparison with the others: when all
 *   refuse it is overload, and whoever takes endpoints out then makes it worse.
 * - `ignored`: says nothing about the endpoint (a caller's cancel, a local rejection, a caller's short deadline).
 */
export type OutlierOutcome = "success" | "failure" | "silence" | "refused" | "ignored";

export type EjectionCause = "consecutive" | "silence" | "success-rate" | "failure-percentage";

export type OutlierState =
  /** Takes calls. */
  | { readonly kind: "in" }
  /** Takes none until the first sweep after `until` (clock reading). `since` is when it last was `in`. */
  | { readonly kind: "ejected"; readonly cause: EjectionCause; readonly since: number; readonly until: number }
  /** Takes one call at a time; back after `policy.trials` successes in a row, ejected again at the first failure. */
  | { readonly kind: "probing"; readonly cause: EjectionCause; readonly since: number; readonly successes: number };

export type OutlierEvent =
  | { readonly kind: "ejected"; readonly id: string; readonly cause: EjectionCause; readonly forMs: number }
  | { readonly kind: "probing"; readonly id: string }
  /** `trials`: its trial calls succeeded; `room`: others left, and too many of those that remain were out. */
  | { readonly kind: "returned"; readonly id: string; readonly why: "trials" | "room" };

/** One endpoint under watch. `admits`, `begin` and `record` are for the hot path: O(1), no allocation, no clock. */
export interface OutlierEndpoint {
  readonly id: string;
  /** Whether a call may be sent to it now. False while ejected, and while probing with its one trial under way. */
  readonly admits: boolean;
  /** Whether a call that is picked for it now is a trial. */
  readonly isTrial: boolean;
  /** A call was picked for it. The number goes with the outcome to `record`, exactly once. */
  begin(): number;
  /** The call ended (a stream: its first message came). An outcome counts only if the endpoint's state is still the one that the call began in. */
  record(outcome: OutlierOutcome, began: number): void;
  /** The owner's own probe got no answer: ejects at once. False when too many are out already, or it is. */
  unreachable(): boolean;
  /** The process itself answered the owner's probe (a PING, not merely a connect): an ejection for silence ends, trials begin. */
  reachable(): void;
  /** It left the list. The handle is dead; the same id tracked again starts anew. */
  forget(): void;
  getState(): OutlierEndpointState;
}

export interface OutlierEndpointState {
  readonly id: string;
  readonly state: OutlierState;
  /** Ejections in short succession; falls by one each interval that the endpoint is in. */
  readonly multiplier: number;
  readonly consecutiveFailures: number;
  /** Ejections since it is tracked. */
  readonly ejections: number;
}

export interface OutlierDetector {
  readonly policy: OutlierPolicy;
  /** The handle for an endpoint; the same one for as long as it isn't forgotten. On a list change track the new before forgetting the old. */
  track(id: string): OutlierEndpoint;
  /** Judges the interval that ends now. The owner calls it every `policy.intervalMs`; a late call does no harm. */
  sweep(): void;
  /**
   * An endpoint whose trial is due: a first attempt should go there, past the balancer, which may have no reason to choose
   * an endpoint that was slow when it was last seen. Undefined, in O(1), when there is none.
   */
  due(): OutlierEndpoint | undefined;
  getState(): OutlierDetectorState;
}

export interface OutlierDetectorState {
  readonly endpoints: readonly OutlierEndpointState[];
  /** Ejected or probing now. */
  readonly out: number;
  /** How many may be. */
  readonly maxOut: number;
}

export interface OutlierOptions {
  readonly clock?: Clock;
  /** In [0, 1). For the jitter of ejection times alone. */
  readonly random?: () => number;
  /** What differs from `defaultOutlierPolicy`. */
  readonly policy?: Partial<OutlierPolicy>;
  onChange?(event: OutlierEvent): void;
}

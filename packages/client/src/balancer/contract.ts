import type { EndpointLoad } from "./endpoint-load.ts";

/**
 * What a balancer sees of an endpoint. The endpoint owns its statistics: they outlive a refresh of the list, and all
 * balancers of a channel share them.
 */
export interface Candidate {
  /** Instance + epoch. */
  readonly id: string;
  /** How much it takes beside the others: above 0, and 1 is usual. Only ratios matter. */
  readonly weight: number;
  readonly zone: string | undefined;
  /** The clock's reading when this process first saw it. */
  readonly since: number;
  readonly load: EndpointLoad;
}

/** Says whether a call may go to a candidate now. It is asked on each pick, so it is to be quick. */
export type Admits<C> = (candidate: C) => boolean;

export interface Score<C> {
  readonly candidate: C;
  /** What the balancer would judge it by now. What it means is each balancer's own. */
  readonly score: number;
}

/** Chooses who takes a call. It keeps no statistics but its own place in the list; it never waits and never throws. */
export interface Balancer<C extends Candidate> {
  /**
   * The endpoints there are now, no id twice; the list is kept, not copied. Called when it changes, never per call. Before the
   * first there are none.
   */
  update(candidates: readonly C[]): void;
  /** One that `admits` accepts, or undefined when none does. `key` is the request's hash key: consistent hashing alone reads it. */
  pick(admits: Admits<C>, key?: string): C | undefined;
  /** For `explain`, never on the way of a call: what each candidate would be judged by now, in no particular order. */
  scores(): readonly Score<C>[];
}

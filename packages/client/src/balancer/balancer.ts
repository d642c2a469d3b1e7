/** How a call ended, for the balancer that sent it there. */
export type Outcome = "success" | "failure" | "cancelled";

/** What a balancer chooses among. */
export interface Candidate {
  /** instance + epoch. */
  readonly id: string;
}

export interface Pick<C extends Candidate> {
  readonly endpoint: C;
  /** Must be called exactly once, when the call has ended. */
  done(outcome: Outcome): void;
}

export interface Balancer<C extends Candidate> {
  /** One of the candidates, which are never none. */
  pick(candidates: readonly [C, ...C[]]): Pick<C>;
}

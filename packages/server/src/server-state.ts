import type { BulkheadState, ConcurrencyLimitState } from "@weft/policy";

/** What a server is doing now. */
export interface ServerState {
  readonly inFlight: number;
  readonly bulkheads: readonly BulkheadState[];
  /** What it has found out that it can do; undefined where it sheds nothing. */
  readonly shedding: ConcurrencyLimitState | undefined;
}

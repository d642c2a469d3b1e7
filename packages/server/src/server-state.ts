import type { BulkheadState } from "@weft/policy";

/** What a server is doing now. */
export interface ServerState {
  readonly inFlight: number;
  readonly bulkheads: readonly BulkheadState[];
}

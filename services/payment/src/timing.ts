import { backoffMs } from "@weft/store";

/** How patient the service is with what it asks, in milliseconds. */
export const timing = {
  /** Outlives each step of an attempt: the order service's deadline is 3 s, the provider's 5 s. */
  leaseMs: 8_000,
  /** A request is given up after 5 s; what the provider has of it by then it should finish in 10 s. */
  inFlightMs: 15_000,
  /** No proxy, and no queue of the provider's, holds a request for longer. */
  watchMs: 24 * 60 * 60 * 1_000,
  pauseMs: (attempt: number) => backoffMs(attempt, { baseMs: 200, maxMs: 30_000 }),
  watchPauseMs: (looks: number) => backoffMs(looks, { baseMs: 15_000, maxMs: 3_600_000 }),
};

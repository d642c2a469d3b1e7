import { type Clock, systemClock } from "@weft/context";

/**
 * Bounds retries to a share of calls, so that a failing dependency isn't hit by a multiple of its load, plus a few each
 * second, so that a burst of simultaneous failures at low traffic can still be retried. A token bucket, shared by all
 * methods of one client towards one service (the retry budget of Finagle and linkerd).
 */
export interface RetryBudget {
  /** A call began: earns `ratio` of a retry. */
  deposit(): void;
  /** Takes one retry; false when none is left. */
  withdraw(): boolean;
  getState(): RetryBudgetState;
}

export interface RetryBudgetState {
  /** Retries that could be taken now. */
  readonly balance: number;
  readonly deposits: number;
  readonly withdrawals: number;
  /** Retries that were refused. */
  readonly refused: number;
}

export interface RetryBudgetOptions {
  /** Retries per call. Default 0.1. */
  readonly ratio?: number;
  /** Retries per second on top; the first second's are there from the start. Default 10. */
  readonly perSecond?: number;
  /** The bucket holds no more than this many. Default: ten seconds' worth. */
  readonly capacity?: number;
  readonly clock?: Clock;
}

/** Over any time `t` from the start, withdrawals ≤ ratio × deposits + perSecond × (t + 1 s). */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { ratio = 0.1, perSecond = 10, clock = systemClock } = options;
  const capacity = options.capacity ?? Math.max(1, 10 * perSecond);
  let balance = Math.min(perSecond, capacity);
  let filledAt = clock.now();
  let deposits = 0;
  let withdrawals = 0;
  let refused = 0;

  function fill(): void {
    const now = clock.now();
    balance = Math.min(capacity, balance + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
  }

  return {
    deposit() {
      deposits += 1;
      balance = Math.min(capacity, balance + ratio);
    },
    withdraw() {
      fill();
      // Sums of fractions fall a hair short: ten deposits of 0.1 must buy one retry.
      if (balance < 1 - 1e-9) {
        refused += 1;
        return false;
      }
      balance = Math.max(0, balance - 1);
      withdrawals += 1;
      return true;
    },
    getState() {
      fill();
      return { balance, deposits, withdrawals, refused };
    },
  };
}

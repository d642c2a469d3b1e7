/** Where time comes from. Only differences of two readings mean anything. */
export interface Clock {
  /** Milliseconds that never go backwards. */
  now(): number;
}

/** The longest delay of setTimeout: it fires at once for anything longer. */
export const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = { now: () => performance.now() };

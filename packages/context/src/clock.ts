/** Where time comes from. Only differences of two readings mean anything. */
export interface Clock {
  /** Milliseconds that never go backwards. */
  now(): number;
}

export const systemClock: Clock = { now: () => performance.now() };

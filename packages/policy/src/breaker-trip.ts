import type { Clock } from "@weft/context";
import { CircuitState, ConsecutiveBreaker, type IBreaker } from "cockatiel";
import type { BreakerTrip } from "./method-policy.ts";

/** Decides when failures are too many. */
export interface Trip extends IBreaker {
  /** Failures that count towards opening now: in a row, or within the window. */
  failures(): number;
}

export function createTrip(trip: BreakerTrip, clock: Clock): Trip {
  switch (trip.kind) {
    case "consecutive":
      return createConsecutiveTrip(trip.failures);
    case "ratio":
      return createRatioTrip(trip, clock);
  }
}

function createConsecutiveTrip(limit: number): Trip {
  const breaker = new ConsecutiveBreaker(limit);
  return Object.assign(breaker, { failures: () => breaker.state });
}

interface Bucket {
  startedAt: number;
  successes: number;
  failures: number;
}

const buckets = 10;

/**
 * A window of ten buckets that moves with the clock. (cockatiel's SamplingBreaker moves one bucket a call and reads the wall
 * clock: after a quiet hour it still judges by the failures before.)
 */
function createRatioTrip({ ratio, volume, windowMs }: Extract<BreakerTrip, { kind: "ratio" }>, clock: Clock): Trip {
  const bucketMs = windowMs / buckets;
  let window: Bucket[] = [];

  function current(): Bucket {
    const now = clock.now();
    window = window.filter((bucket) => now - bucket.startedAt < windowMs);
    const last = window.at(-1);
    if (last !== undefined && now - last.startedAt < bucketMs) return last;
    const bucket = { startedAt: now, successes: 0, failures: 0 };
    window.push(bucket);
    return bucket;
  }

  function totals(): { successes: number; failures: number } {
    current();
    let successes = 0;
    let failures = 0;
    for (const bucket of window) {
      successes += bucket.successes;
      failures += bucket.failures;
    }
    return { successes, failures };
  }

  return {
    get state() {
      return window;
    },
    success(state) {
      if (state === CircuitState.HalfOpen) window = [];
      current().successes += 1;
    },
    failure(state) {
      current().failures += 1;
      if (state !== CircuitState.Closed) return true;
      const { successes, failures } = totals();
      const calls = successes + failures;
      return calls >= volume && failures >= ratio * calls;
    },
    failures: () => totals().failures,
  };
}

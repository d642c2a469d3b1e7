import type { Clock } from "@weft/context";

/** Time that moves from event to event, for simulations: nothing waits, and equal times run in the order they were asked for. */
export interface SimulatedTime extends Clock {
  at(time: number, run: () => void): void;
  after(ms: number, run: () => void): void;
  /** From now on every `ms`, until the simulation ends. */
  every(ms: number, run: () => void): void;
  /** Runs what is due up to and including `time`. */
  runUntil(time: number): void;
}

interface Event {
  readonly time: number;
  readonly order: number;
  readonly run: () => void;
}

export function simulatedTime(): SimulatedTime {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;

  const before = (a: Event, b: Event): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

  function push(event: Event): void {
    let i = heap.length;
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up];
      if (!parent || before(parent, event)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = event;
  }

  function shift(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      const [left, right] = [heap[down], heap[down + 1]];
      if (!left) break;
      if (right && before(right, left)) down += 1;
      const child = heap[down];
      if (!child || before(last, child)) break;
      heap[i] = child;
      i = down;
    }
    heap[i] = last;
    return first;
  }

  const time: SimulatedTime = {
    now: () => now,
    at: (at, run) => push({ time: Math.max(at, now), order: order++, run }),
    after: (ms, run) => time.at(now + ms, run),
    every(ms, run) {
      const tick = (): void => {
        run();
        time.after(ms, tick);
      };
      time.after(ms, tick);
    },
    runUntil(end) {
      for (let next = heap[0]; next && next.time <= end; next = heap[0]) {
        shift();
        now = next.time;
        next.run();
      }
      now = Math.max(now, end);
    },
  };
  return time;
}

/** Numbers in [0, 1) that are the same for the same seed (a 32-bit xorshift). */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Time to the next of events that come independently of each other, `mean` apart on average. */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}

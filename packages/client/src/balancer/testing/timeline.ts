import type { Clock } from "@weft/context";

/** Time that passes from one event to the next. */
export interface Timeline extends Clock {
  /** Runs `event` at that time, after what was put there before it. */
  at(time: number, event: () => void): void;
  /** Runs all events, with those that they put there, in the order of their times. */
  run(): void;
}

export function createTimeline(): Timeline {
  const events: { readonly time: number; readonly order: number; readonly event: () => void }[] = [];
  let now = 0;
  let order = 0;
  const isBefore = (a: number, b: number): boolean => {
    const [first, second] = [events[a], events[b]];
    if (first === undefined || second === undefined) return false;
    return first.time < second.time || (first.time === second.time && first.order < second.order);
  };
  const swap = (a: number, b: number): void => {
    const [first, second] = [events[a], events[b]];
    if (first === undefined || second === undefined) return;
    events[a] = second;
    events[b] = first;
  };
  return {
    now: () => now,
    at(time, event) {
      order += 1;
      events.push({ time, order, event });
      for (let place = events.length - 1; place > 0; ) {
        const parent = (place - 1) >> 1;
        if (!isBefore(place, parent)) break;
        swap(place, parent);
        place = parent;
      }
    },
    run() {
      while (events.length > 0) {
        swap(0, events.length - 1);
        const next = events.pop();
        for (let place = 0; ; ) {
          const [left, right] = [2 * place + 1, 2 * place + 2];
          const child = isBefore(right, left) ? right : left;
          if (!isBefore(child, place)) break;
          swap(child, place);
          place = child;
        }
        if (next === undefined) return;
        now = next.time;
        next.event();
      }
    },
  };
}

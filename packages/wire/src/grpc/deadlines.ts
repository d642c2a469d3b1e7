/** What is to end when its time is up, unless it ends by itself before. */
export interface Timed {
  /** Where it waits; kept by the deadlines alone. */
  slot: TimerSlot | undefined;
  expire(): void;
}

/** Those that end in the same few milliseconds. */
export interface TimerSlot {
  readonly at: number;
  readonly timed: Set<Timed>;
}

/** Deadlines are kept this exactly, in milliseconds: what has a deadline ends by so much later, and never earlier. */
const resolutionMs = 4;
/** Node fires a longer timer at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The deadlines of many calls, most of which end before. Beginning and ending one costs an insertion and a deletion in a set that
 * neighbours share, where a timer each would cost a timer list each, since hardly two are equally long.
 */
export class Deadlines {
  readonly #clock: { now(): number };
  readonly #slots = new Map<number, TimerSlot>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: { now(): number } = performance) {
    this.#clock = clock;
  }

  /** `expire` is called in so many milliseconds. */
  add(timed: Timed, ms: number): void {
    const now = this.#clock.now();
    const at = Math.ceil((now + ms) / resolutionMs);
    let slot = this.#slots.get(at);
    if (slot === undefined) {
      slot = { at, timed: new Set() };
      this.#slots.set(at, slot);
      if (at < this.#timerAt) this.#wakeAt(at, now);
    }
    slot.timed.add(timed);
    timed.slot = slot;
  }

  remove(timed: Timed): void {
    const { slot } = timed;
    if (slot === undefined) return;
    timed.slot = undefined;
    slot.timed.delete(timed);
    if (slot.timed.size === 0) this.#slots.delete(slot.at);
  }

  #wakeAt(at: number, now: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    // What is due keeps no process alive: its connection does.
    this.#timer = setTimeout(() => this.#wake(), Math.min(longestTimerMs, at * resolutionMs - now)).unref();
  }

  #wake(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const due = now / resolutionMs;
    let next = Number.POSITIVE_INFINITY;
    for (const slot of [...this.#slots.values()]) {
      if (slot.at > due) {
        next = Math.min(next, slot.at);
        continue;
      }
      this.#slots.delete(slot.at);
      for (const timed of slot.timed) {
        timed.slot = undefined;
        timed.expire();
      }
    }
    if (next < this.#timerAt) this.#wakeAt(next, now);
  }
}

import { outsideOfCalls } from "../http2/outside-of-calls.ts";

/** What is to end when its time is up, unless it ends by itself before. */
export interface Timed {
  expire(): void;
}

/** A place among the deadlines; whoever has it gives it back with `remove`. */
export interface Deadline {
  readonly timed: Timed;
  /** By the clock, in milliseconds. */
  readonly due: number;
  /** In ticks. */
  readonly at: number;
  /** Where it waits; -1 when it does not wait any more. */
  slot: number;
  previous: Deadline | undefined;
  next: Deadline | undefined;
}

/** Deadlines are kept this exactly, in milliseconds: what has a deadline ends by so much later, and never earlier. */
const tickMs = 4;
const slotsOfLevel = 64;
/** How many ticks a slot spans, by level: those of the first fire, those of the others are dealt out to the level below. */
const spans = [1, 64, 4_096, 262_144] as const;
const levels = spans.length;
/** Node fires a longer timer at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The deadlines of many calls, most of which end before: a hierarchical timing wheel (Varghese and Lauck, 1987), in which beginning and
 * ending one links it into a list and out of it. A timer each would cost a timer list each, since hardly two are equally long.
 */
export class Deadlines {
  readonly #clock: { now(): number };
  readonly #slots: (Deadline | undefined)[] = new Array(levels * slotsOfLevel).fill(undefined);
  /** All that was due at this tick or before has expired. */
  #tick: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires; nothing is due before. */
  #wakeTick = Number.POSITIVE_INFINITY;
  /** Slots are being looked at that lie behind the clock. */
  #isWaking = false;

  constructor(clock: { now(): number } = performance) {
    this.#clock = clock;
    this.#tick = Math.floor(clock.now() / tickMs);
  }

  /** `expire` is called in so many milliseconds. */
  add(timed: Timed, ms: number): Deadline {
    const now = this.#clock.now();
    const tick = Math.floor(now / tickMs);
    if (tick < this.#wakeTick && !this.#isWaking) this.#tick = tick;
    const deadline: Deadline = {
      timed,
      due: now + ms,
      at: Math.max(Math.ceil((now + ms) / tickMs), this.#tick + 1),
      slot: -1,
      previous: undefined,
      next: undefined,
    };
    const wake = this.#place(deadline);
    if (wake < this.#wakeTick) this.#wakeAt(wake, now);
    return deadline;
  }

  /** Milliseconds until its time is up; 0 or less when it is, though it may not have been told yet. */
  left(deadline: Deadline): number {
    return deadline.due - this.#clock.now();
  }

  remove(deadline: Deadline): void {
    const { slot, previous, next } = deadline;
    if (slot < 0) return;
    if (previous === undefined) this.#slots[slot] = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    deadline.slot = -1;
    deadline.previous = undefined;
    deadline.next = undefined;
  }

  /** Returns the tick at which its slot has to be looked at. */
  #place(deadline: Deadline): number {
    const { at } = deadline;
    let level = 0;
    while (level < levels - 1 && at - this.#tick >= (spans[level + 1] as number)) level += 1;
    const span = spans[level] as number;
    // What lies beyond the last level waits in its farthest slot, and is dealt out again.
    const place = Math.min(Math.floor(at / span), Math.floor(this.#tick / span) + slotsOfLevel - 1);
    const slot = level * slotsOfLevel + (place % slotsOfLevel);
    const head = this.#slots[slot];
    deadline.slot = slot;
    deadline.next = head;
    if (head !== undefined) head.previous = deadline;
    this.#slots[slot] = deadline;
    return place * span;
  }

  #wakeAt(tick: number, now: number): void {
    clearTimeout(this.#timer);
    this.#wakeTick = tick;
    // What is due keeps no process alive: its connection does.
    const ms = Math.min(longestTimerMs, Math.max(1, Math.ceil(tick * tickMs - now)));
    this.#timer = outsideOfCalls(() => setTimeout(() => this.#wake(), ms)).unref();
  }

  #wake(): void {
    const now = this.#clock.now();
    const tick = Math.floor(now / tickMs);
    this.#wakeTick = Number.POSITIVE_INFINITY;
    this.#isWaking = true;
    let next = this.#nextTick();
    for (; next <= tick; next = this.#nextTick()) this.#advance(next);
    this.#isWaking = false;
    this.#tick = tick;
    if (next < this.#wakeTick) this.#wakeAt(next, now);
  }

  /** The first tick from now on at which a slot has to be looked at. */
  #nextTick(): number {
    let first = Number.POSITIVE_INFINITY;
    for (let level = 0; level < levels; level++) {
      const span = spans[level] as number;
      const here = Math.floor(this.#tick / span);
      for (let ahead = 1; ahead <= slotsOfLevel && (here + ahead) * span < first; ahead++) {
        const slot = level * slotsOfLevel + ((here + ahead) % slotsOfLevel);
        if (this.#slots[slot] !== undefined) first = (here + ahead) * span;
      }
    }
    return first;
  }

  #advance(tick: number): void {
    this.#tick = tick;
    for (let level = levels - 1; level >= 0; level--) {
      const span = spans[level] as number;
      if (tick % span !== 0) continue;
      const slot = level * slotsOfLevel + (Math.floor(tick / span) % slotsOfLevel);
      for (let due = this.#slots[slot]; due !== undefined; due = this.#slots[slot]) {
        this.remove(due);
        if (due.at <= tick) expire(due);
        else this.#place(due);
      }
    }
  }
}

/** One that fails takes nothing from the others. */
function expire({ timed }: Deadline): void {
  try {
    timed.expire();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

export interface Due<T> {
  readonly item: T;
  readonly due: number;
}

interface Entry<T> {
  readonly item: T;
  due: number;
}

/** A binary heap whose first entry is the one that is due earliest. Entries can be set aside, and are then behind its end. */
export class EarliestFirst<T> {
  readonly #heap: Entry<T>[];
  #size: number;

  constructor(entries: readonly Due<T>[]) {
    this.#heap = entries.map(({ item, due }) => ({ item, due })).sort((a, b) => a.due - b.due);
    this.#size = entries.length;
  }

  /** Undefined when there is none, or all are set aside. */
  first(): Due<T> | undefined {
    return this.#size === 0 ? undefined : this.#heap[0];
  }

  entries(): readonly Due<T>[] {
    return this.#heap;
  }

  /** The first is due then. O(log n). */
  reschedule(due: number): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    first.due = due;
    this.#sink(0);
  }

  /** The first is none until `takeBack`. O(log n). */
  setAside(): void {
    this.#size -= 1;
    this.#swap(0, this.#size);
    this.#sink(0);
  }

  /** All that were set aside are due when `due` says. O(log n) for each. */
  takeBack(due: (passed: Due<T>) => number): void {
    while (this.#size < this.#heap.length) {
      const entry = this.#heap[this.#size];
      if (entry !== undefined) entry.due = due(entry);
      this.#size += 1;
      this.#rise(this.#size - 1);
    }
  }

  #dueAt(place: number): number {
    return this.#heap[place]?.due ?? Number.POSITIVE_INFINITY;
  }

  #sink(from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= this.#size) return;
      const right = left + 1;
      const child = right < this.#size && this.#dueAt(right) < this.#dueAt(left) ? right : left;
      if (this.#dueAt(child) >= this.#dueAt(place)) return;
      this.#swap(child, place);
      place = child;
    }
  }

  #rise(from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#dueAt(parent) <= this.#dueAt(place)) return;
      this.#swap(parent, place);
      place = parent;
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}

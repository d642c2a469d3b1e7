/** Tasks that may run together: those whose group is the same, at most so many at once. */
export interface Together {
  readonly group: unknown;
  readonly most: number;
}

export interface LanesOptions<T> {
  /** Runs at once. */
  readonly concurrency: number;
  /** Runs one task, or several that go together, those of one key in their order. Must not reject. */
  readonly run: (tasks: readonly T[]) => Promise<void>;
  /** Asked when a task could begin; undefined for one that runs alone. Absent: all do. */
  readonly together?: (task: T) => Together | undefined;
}

/** Runs tasks: those of one key in their order, those of different keys side by side. */
export interface Lanes<T> {
  add(key: string, task: T): void;
  /** Takes out what has not begun. */
  clear(): T[];
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
}

export function createLanes<T>({ concurrency, run, together }: LanesOptions<T>): Lanes<T> {
  // A lane is listed from its first task until it has none left; the first ones may be running.
  const lanes = new Map<string, T[]>();
  let ready: string[] = [];
  let running = 0;
  let idle: PromiseWithResolvers<void> | undefined;

  function start(): void {
    while (running < concurrency) {
      const key = ready.shift();
      if (key === undefined) break;
      running += 1;
      void work(key);
    }
    if (running === 0 && lanes.size === 0) {
      idle?.resolve();
      idle = undefined;
    }
  }

  async function work(key: string): Promise<void> {
    const taken = take(key);
    await run(taken.tasks);
    running -= 1;
    for (const key of taken.keys) {
      if ((lanes.get(key)?.length ?? 0) > 0) ready.push(key);
      else lanes.delete(key);
    }
    start();
  }

  /** The first task of a lane, and what may run together with it. */
  function take(key: string): { readonly keys: readonly string[]; readonly tasks: readonly T[] } {
    const lane = lanes.get(key) ?? [];
    const first = lane[0];
    const rule = first === undefined ? undefined : together?.(first);
    if (!rule) return { keys: [key], tasks: lane.splice(0, 1) };
    const tasks: T[] = [];
    const drain = (lane: T[]): boolean => {
      const before = tasks.length;
      for (let next = lane[0]; next !== undefined && tasks.length < rule.most; next = lane[0]) {
        if (together?.(next)?.group !== rule.group) break;
        tasks.push(next);
        lane.shift();
      }
      return tasks.length > before;
    };
    drain(lane);
    const keys = [key];
    const others: string[] = [];
    for (const other of ready) (drain(lanes.get(other) ?? []) ? keys : others).push(other);
    ready = others;
    return { keys, tasks };
  }

  return {
    add(key, task) {
      const lane = lanes.get(key);
      if (lane) {
        lane.push(task);
        return;
      }
      lanes.set(key, [task]);
      ready.push(key);
      start();
    },
    clear() {
      const waiting = [...lanes.values()].flatMap((lane) => lane.splice(0));
      for (const key of ready.splice(0)) lanes.delete(key);
      start();
      return waiting;
    },
    idle() {
      if (running === 0 && lanes.size === 0) return Promise.resolve();
      idle ??= Promise.withResolvers();
      return idle.promise;
    },
  };
}

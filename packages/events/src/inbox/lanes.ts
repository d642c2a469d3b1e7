/** Runs tasks: those of one key in their order, those of different keys side by side. */
export interface Lanes<T> {
  add(key: string, task: T): void;
  /** Takes out what has not begun. */
  clear(): T[];
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
}

/** `run` must not reject. */
export function createLanes<T>(concurrency: number, run: (task: T) => Promise<void>): Lanes<T> {
  // A lane is listed from its first task until it has none left; the first one may be running.
  const lanes = new Map<string, T[]>();
  const ready: string[] = [];
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
    const lane = lanes.get(key);
    const task = lane?.shift();
    if (task !== undefined) await run(task);
    running -= 1;
    if (lane && lane.length > 0) ready.push(key);
    else lanes.delete(key);
    start();
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

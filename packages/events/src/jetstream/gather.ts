export interface Gatherer {
  /** Runs a task with others that come soon. */
  add(task: () => void): void;
  /** Runs what waits, now. */
  flush(): void;
}

/**
 * Runs tasks that each write to a socket together, so that the client sends them in one write: a system call costs more than all the rest
 * of them. They wait for `waitMs` at most, or until there are `most`; where the first of them is `urgent`, until the turn of the event loop
 * is over.
 */
export function createGatherer({
  waitMs,
  most = 256,
  urgent = () => false,
}: {
  readonly waitMs: number;
  readonly most?: number;
  readonly urgent?: () => boolean;
}): Gatherer {
  let tasks: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const due = tasks;
    tasks = [];
    for (const task of due) task();
  }

  return {
    add(task) {
      tasks.push(task);
      if (tasks.length >= most) flush();
      else if (tasks.length > 1) return;
      else if (urgent()) process.nextTick(flush);
      else timer = setTimeout(flush, waitMs);
    },
    flush,
  };
}

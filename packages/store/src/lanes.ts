import type { Logger } from "@weft/telemetry";

/** Works on claimed rows, several at a time, so that a slow one holds up no other. */
export interface Lanes {
  /**
   * Claims as many rows as there are free lanes and begins with them. Answers how many, or 0 when they were fewer: no more
   * are due, and what becomes due wakes its worker. A worker's `poll`.
   */
  poll(signal: AbortSignal): Promise<number>;
  /** Resolves when everything that was begun has ended. */
  drained(): Promise<void>;
}

/** `attempt` settles its own failures; one that rejects (the database is away) leaves its row to the lease. */
export function createLanes<Claim>(
  count: number,
  claim: (limit: number) => Promise<readonly Claim[]>,
  attempt: (claim: Claim) => Promise<unknown>,
  logger: Logger,
): Lanes {
  const running = new Set<Promise<void>>();

  const begin = (claimed: Claim): void => {
    const run: Promise<void> = attempt(claimed)
      .then(
        () => undefined,
        (error: unknown) =>
          logger.error({ error }, "an attempt was not settled: it is repeated when its lease is over"),
      )
      .finally(() => running.delete(run));
    running.add(run);
  };

  return {
    async poll(signal) {
      while (running.size >= count && !signal.aborted) await oneEnds(running, signal);
      if (signal.aborted) return 0;
      const free = count - running.size;
      const claimed = await claim(free);
      for (const each of claimed) begin(each);
      return claimed.length < free ? 0 : claimed.length;
    },
    async drained() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function oneEnds(running: ReadonlySet<Promise<void>>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([...running, aborted]);
  signal.removeEventListener("abort", onAbort);
}

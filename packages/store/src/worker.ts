import { type Clock, systemClock } from "@weft/context";
import { type Logger, silentLogger } from "@weft/telemetry";
import { backoffMs } from "./backoff.ts";

export interface WorkerOptions {
  /** Names it in logs. */
  readonly name: string;
  /**
   * Does what is due and resolves with how many items it did: more than none polls again at once. The signal aborts
   * when the worker closes. An error is logged and tried again after a pause that doubles up to `maxBackoffMs`.
   */
  readonly poll: (signal: AbortSignal) => Promise<number>;
  /** Longest pause between two polls when nothing is due, in milliseconds. */
  readonly intervalMs: number;
  /** Longest pause after an error, in milliseconds; default 30,000. */
  readonly maxBackoffMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Looks for durable work in the database, again and again. */
export interface Worker {
  /** Polls now, or right after the poll that runs. Cuts the pause after an error short only when that was half over. */
  wake(): void;
  /** Aborts the running poll's signal and waits for it. */
  close(): Promise<void>;
}

/** Starts to poll at once. Two instances may run the same worker: `poll` locks what it takes (FOR UPDATE SKIP LOCKED). */
export function startWorker(options: WorkerOptions): Worker {
  const {
    name,
    poll,
    intervalMs,
    maxBackoffMs = 30_000,
    logger = silentLogger,
    clock = systemClock,
    random = Math.random,
  } = options;
  const closing = new AbortController();
  let awake = false;
  let interrupt: (() => void) | undefined;

  function rest(ms: number, deaf: number): Promise<void> {
    const earliest = clock.now() + deaf;
    return new Promise((resolve) => {
      if (closing.signal.aborted || (awake && deaf <= 0)) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        interrupt = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      interrupt = () => {
        if (closing.signal.aborted || clock.now() >= earliest) end();
      };
    });
  }

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      awake = false;
      try {
        const done = await poll(closing.signal);
        failures = 0;
        if (done === 0) await rest(intervalMs, 0);
      } catch (error) {
        if (closing.signal.aborted) return;
        failures += 1;
        const ms = backoffMs(failures, { baseMs: 100, maxMs: maxBackoffMs, random });
        logger.warn({ worker: name, error, retryInMs: Math.round(ms) }, "durable work failed: trying again");
        await rest(ms, ms / 2);
      }
    }
  }

  const running = run();
  return {
    wake() {
      awake = true;
      interrupt?.();
    },
    async close() {
      closing.abort(new Error(`worker ${name} is closed`));
      interrupt?.();
      await running;
    },
  };
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** Times are `process.hrtime`'s, in milliseconds: the same clock in all processes of a machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What a process that holds instances is started with. */
export interface HostData {
  readonly url: string;
  readonly heartbeatMs: number;
  readonly instances: readonly { readonly service: string; readonly instance: string }[];
}

/** What a process of watchers is started with. */
export interface WatchersData {
  readonly url: string;
  readonly heartbeatMs: number;
  /** What each of its watchers watches. */
  readonly watched: readonly (readonly string[])[];
  /** How many instances each service has once all are there. */
  readonly perService: number;
  /** The service whose changes are waited for, and the instance that changes. */
  readonly hot: string;
  readonly changing: string;
}

/** A process of the benchmark, which answers one message with one. */
export interface BenchWorker {
  ask<T>(message: object): Promise<T>;
  /** What it says next, unasked. */
  next<T>(): Promise<T>;
  close(): Promise<void>;
}

/** Resolves when it has said that it is ready. */
export async function startWorker(file: string, data: HostData | WatchersData): Promise<BenchWorker> {
  const child = fork(join(import.meta.dirname, file), [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ask = async <T>(message: object): Promise<T> => {
    child.send(message);
    return (await next(child)) as T;
  };
  await ask(data);
  return {
    ask,
    next: async <T>() => (await next(child)) as T,
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function next(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    return await Promise.race([
      once(child, "message", { signal: over.signal }).then(([message]) => message as unknown),
      once(child, "exit", { signal: over.signal }).then(([code]) => {
        throw new Error(`a process of the benchmark ended with ${code}`);
      }),
    ]);
  } finally {
    over.abort();
  }
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A process of this benchmark: it answers each message with one, and ends with whoever started it. */
export interface Child {
  ask(question: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Resolves with it and with what it said first. */
export async function startChild(file: string, ...args: readonly string[]): Promise<{ child: Child; said: unknown }> {
  const process = fork(join(import.meta.dirname, file), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const child: Child = {
    ask(question) {
      process.send(question);
      return next(process);
    },
    async close() {
      const ended = once(process, "exit");
      process.disconnect();
      await ended;
    },
  };
  return { child, said: await next(process) };
}

async function next(process: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    return await Promise.race([
      once(process, "message", { signal: over.signal }).then(([message]) => message),
      once(process, "exit", { signal: over.signal }).then(([code]) => {
        throw new Error(`a process of the benchmark ended with ${code}`);
      }),
    ]);
  } finally {
    over.abort();
  }
}

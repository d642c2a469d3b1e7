import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** A process of a benchmark: it answers each message with one, and ends with whoever started it. */
export interface Child {
  /** What it holds, in MiB. */
  memory(): number;
  /** What it has computed so far, in milliseconds of one core. */
  computed(): number;
  ask(question: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Runs a program. Resolves with it and with what it said first. */
export async function startChild(path: string, ...args: readonly string[]): Promise<{ child: Child; said: unknown }> {
  const process = fork(path, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const child: Child = {
    memory: () => residentMiB(process.pid ?? 0),
    computed: () => processorMs(process.pid ?? 0),
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

function residentMiB(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kib) / 1024);
}

/** User's and system's time, which Linux counts in ticks of 10 ms. */
function processorMs(pid: number): number {
  // The second field, the name in brackets, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const [userTicks, systemTicks] = fields.slice(11, 13).map(Number);
  return 10 * ((userTicks ?? 0) + (systemTicks ?? 0));
}

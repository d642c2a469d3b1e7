import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

export interface Outcome {
  readonly code: number;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** Longest time that one block may take, in milliseconds. */
const longestMs = 120_000;

/** Runs a program in a copy of the repository, with the copy's tools first on the PATH; the signal ends it and all that it started. */
export async function runProgram(
  root: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Outcome> {
  signal.throwIfAborted();
  const path = [join(root, "node_modules", ".bin"), env.PATH].filter(Boolean).join(delimiter);
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const child = spawn(command, args, {
    cwd: root,
    env: { ...env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that a script's children end with it.
    detached: true,
  });
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
  const send = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended.
    }
  };
  const end = (): void => {
    send("SIGTERM");
    setTimeout(() => send("SIGKILL"), 15_000).unref();
  };
  bounded.addEventListener("abort", end, { once: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  child.once("error", reject);
  child.once("close", (code) => {
    bounded.removeEventListener("abort", end);
    if (signal.aborted) reject(signal.reason);
    else resolve({ code: code ?? 1, output: bounded.aborted ? `${output}\nit took over ${longestMs} ms` : output });
  });
  return promise;
}

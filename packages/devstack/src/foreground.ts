import { spawn } from "node:child_process";
import { constants } from "node:os";

/** Runs a command on our own terminal; the signal ends it. Resolves with its exit code. */
export function runForeground(
  [command, ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    if (command === undefined || signal.aborted) return resolve(130);
    const child = spawn(command, args, { env, cwd, stdio: "inherit" });
    const end = () => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 10_000).unref();
    };
    signal.addEventListener("abort", end, { once: true });
    child.once("error", reject);
    child.once("close", (code, name) => {
      signal.removeEventListener("abort", end);
      resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
    });
  });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Victim {
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
}

const program = fileURLToPath(new URL("./hanging-timer.main.ts", import.meta.url));

/** A process of the test's own that fires what is due at that time, and hangs before it commits. Resolves when it hangs. */
export async function startHangingTimer(databaseUrl: string, now: Date): Promise<Victim> {
  const child = spawn(process.execPath, ["--conditions=source", program, now.toISOString()], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const ended = exited.then(([code]) => Promise.reject(new Error(`the process ended with ${code} before it hung`)));
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined);
  return {
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openStore } from "@weft/store";
import { silentLogger } from "@weft/telemetry";
import { fireTimers, type Timers } from "../app/fire-timers.ts";
import { createOrderRepository } from "../store/order-repository.ts";
import type { OrderDatabase } from "../store/schema.ts";
import { createTimerRepository } from "../store/timer-repository.ts";

export interface Victim {
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** A process of the test's own that fires what is due at that time, and hangs before it commits. Resolves when it hangs. */
export async function startHangingTimer(url: string, now: Date): Promise<Victim> {
  const args = ["--conditions=source", fileURLToPath(import.meta.url), url, now.toISOString()];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exited]);
  if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode} before it hung`);
  return {
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = "", now = ""] = process.argv.slice(2);
  const store = openStore<OrderDatabase>({ url, application: "hanging timer" });
  const timers = createTimerRepository(store);
  const hanging: Timers = {
    ...timers,
    takeDue: (at, work) =>
      timers.takeDue(at, async (timer) => {
        await work(timer);
        process.stdout.write("hanging");
        await new Promise(() => {});
      }),
  };
  const orders = createOrderRepository(store);
  const fire = fireTimers({
    timers: hanging,
    orders,
    logger: silentLogger,
    now: () => new Date(now),
    pauseMs: () => 0,
  });
  await fire(new AbortController().signal);
}

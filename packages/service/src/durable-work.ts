import { startWorker, type Worker, type WorkerOptions } from "@weft/store";
import type { Platform } from "./process.ts";

/** Durable work that a service looks for in its database. */
export interface DurableWork extends Omit<WorkerOptions, "logger"> {
  /** Resolves when what a poll began and did not wait for has ended; `{ ...createLanes(…) }` brings both. */
  readonly drained?: () => Promise<void>;
}

/** Starts a worker that ends with the process: its last poll first, then what that began. Only `wake` is its owner's. */
export function startDurableWork(
  { logger, onClose }: Pick<Platform, "logger" | "onClose">,
  { drained, ...options }: DurableWork,
): Pick<Worker, "wake"> {
  const worker = startWorker({ ...options, logger });
  onClose(`worker ${options.name}`, async () => {
    await worker.close();
    await drained?.();
  });
  return worker;
}

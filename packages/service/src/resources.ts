import type { Logger } from "@weft/telemetry";

/** What a process opened, in that order. */
export type Resources = { readonly what: string; readonly close: () => Promise<void> | void }[];

/** Closes the last opened first. One that fails or takes longer than the time left is named in the log, and holds up nobody. */
export async function closeInReverse(resources: Resources, logger: Logger, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let resource = resources.pop(); resource; resource = resources.pop()) {
    const { what, close } = resource;
    const left = Math.max(100, deadline - performance.now());
    const { promise: timeUp, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), left);
    try {
      const ended = await Promise.race([Promise.resolve(close()).then(() => "closed" as const), timeUp]);
      if (ended === "late") logger.warn({ what }, "did not close in time");
    } catch (error) {
      logger.warn({ what, error }, "did not close cleanly");
    } finally {
      clearTimeout(timer);
    }
  }
}

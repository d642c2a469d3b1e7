import { createLanes } from "@weft/store";
import { silentLogger } from "@weft/telemetry";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startDurableWork } from "./durable-work.ts";
import { closeInReverse, type Resources } from "./resources.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process as far as it closes what was opened in it. */
function aProcess() {
  const resources: Resources = [];
  return {
    logger: silentLogger,
    onClose: (what: string, close: () => Promise<void> | void) => void resources.push({ what, close }),
    end: () => closeInReverse(resources, silentLogger, 1_000),
  };
}

describe("durable work", () => {
  it("is looked for at once when it is woken, and no more once the process ends", async () => {
    const process = aProcess();
    const poll = vi.fn().mockResolvedValue(0);
    const worker = startDurableWork(process, { name: "w", poll, intervalMs: 1_000 });
    await vi.advanceTimersByTimeAsync(0);
    worker.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(poll).toHaveBeenCalledTimes(2);
    await process.end();
    worker.wake();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(poll).toHaveBeenCalledTimes(2);
  });

  it("that runs in lanes has ended before the process closes what was opened earlier", async () => {
    const process = aProcess();
    const events: string[] = [];
    process.onClose("store", () => void events.push("the store is closed"));
    const end = Promise.withResolvers<void>();
    const rows = ["a"];
    const attempt = (row: string) => end.promise.then(() => void events.push(`${row} is settled`));
    const lanes = createLanes(2, async (limit) => rows.splice(0, limit), attempt, silentLogger);
    startDurableWork(process, { name: "w", ...lanes, intervalMs: 1_000 });
    await vi.advanceTimersByTimeAsync(0);
    const ended = process.end();
    await vi.advanceTimersByTimeAsync(0);
    end.resolve();
    await ended;
    expect(events).toEqual(["a is settled", "the store is closed"]);
  });
});

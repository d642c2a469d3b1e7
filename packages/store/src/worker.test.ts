import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startWorker } from "./worker.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const clock = { now: () => Date.now() };

describe("a worker", () => {
  it("polls again at once while there is work, then after its interval", async () => {
    const poll = vi.fn().mockResolvedValueOnce(2).mockResolvedValueOnce(1).mockResolvedValue(0);
    const worker = startWorker({ name: "w", poll, intervalMs: 1_000, clock });
    await vi.advanceTimersByTimeAsync(999);
    expect(poll).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(poll).toHaveBeenCalledTimes(4);
    await worker.close();
  });

  it("polls at once when it is woken, and once more when that happens during a poll", async () => {
    const first = Promise.withResolvers<number>();
    const poll = vi.fn().mockReturnValueOnce(first.promise).mockResolvedValue(0);
    const worker = startWorker({ name: "w", poll, intervalMs: 1_000, clock });
    worker.wake();
    first.resolve(0);
    await vi.advanceTimersByTimeAsync(0);
    expect(poll).toHaveBeenCalledTimes(2);
    worker.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(poll).toHaveBeenCalledTimes(3);
    await worker.close();
  });

  it("waits longer after each error", async () => {
    const poll = vi.fn().mockRejectedValue(new Error("away"));
    const worker = startWorker({ name: "w", poll, intervalMs: 1_000, clock, random: () => 1 });
    await vi.advanceTimersByTimeAsync(100 + 200 + 400);
    expect(poll).toHaveBeenCalledTimes(4);
    await worker.close();
  });

  it("aborts the running poll and waits for it when it closes", async () => {
    let ended = false;
    const poll = (signal: AbortSignal) =>
      new Promise<number>((resolve) =>
        signal.addEventListener("abort", () => {
          ended = true;
          resolve(1);
        }),
      );
    await startWorker({ name: "w", poll, intervalMs: 1_000, clock }).close();
    expect(ended).toBe(true);
  });
});

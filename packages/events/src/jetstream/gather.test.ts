import { describe, expect, it, vi } from "vitest";
import { createGatherer } from "./gather.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the gatherer", () => {
  it("runs what comes in one turn of the event loop together where it is urgent, after all promises of the turn", async () => {
    const log: string[] = [];
    const { add } = createGatherer({ waitMs: 60_000, urgent: () => true });
    add(() => log.push("a"));
    await Promise.resolve();
    log.push("still waiting");
    add(() => log.push("b"));
    await settled();
    expect(log).toEqual(["still waiting", "a", "b"]);
  });

  it("runs tasks after the wait, when there are enough, or when it is told to", () => {
    vi.useFakeTimers();
    const ran: number[] = [];
    const { add, flush } = createGatherer({ waitMs: 5, most: 3 });
    add(() => ran.push(1));
    vi.advanceTimersByTime(4);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ran).toEqual([1]);
    for (const n of [2, 3, 4]) add(() => ran.push(n));
    expect(ran).toEqual([1, 2, 3, 4]);
    add(() => ran.push(5));
    flush();
    expect(ran).toEqual([1, 2, 3, 4, 5]);
    vi.useRealTimers();
  });
});

import { describe, expect, it } from "vitest";
import { SlowStart } from "./slow-start.ts";
import { candidate, candidates } from "./testing/candidate.ts";

describe("slow start", () => {
  it("lets what joins later grow evenly from a tenth to its whole weight", () => {
    const slowStart = new SlowStart({ windowMs: 10_000 });
    const late = candidate("late", { since: 1_000 });
    slowStart.update(candidates(2));
    slowStart.update([...candidates(2), late]);
    const factors = [1_000, 1_500, 3_500, 6_000, 10_999, 11_000, 99_000].map((now) => slowStart.factor(late, now));
    expect(factors).toEqual([0.1, 0.1, 0.25, 0.5, 0.9999, 1, 1]);
  });

  it("lets the others be", () => {
    const slowStart = new SlowStart();
    const [first] = candidates(1);
    slowStart.update(candidates(1));
    slowStart.update([...candidates(1), candidate("late", { since: 1_000 })]);
    expect(slowStart.factor(first ?? candidate("none"), 1_001)).toBe(1);
  });

  it("does not begin with the first list, whose endpoints are new to this process alone", () => {
    const slowStart = new SlowStart();
    const list = candidates(3, { since: 500 });
    slowStart.update([]);
    slowStart.update(list);
    expect(slowStart.isActive(501)).toBe(false);
    for (const each of list) expect(slowStart.factor(each, 501)).toBe(1);
  });

  it("is over with the window of the newest", () => {
    const slowStart = new SlowStart({ windowMs: 1_000 });
    slowStart.update(candidates(1));
    slowStart.update([candidate("a", { since: 100 }), candidate("b", { since: 300 })]);
    expect([1_299, 1_300].map((now) => slowStart.isActive(now))).toEqual([true, false]);
  });

  it("is quicker at first with more aggression", () => {
    const slowStart = new SlowStart({ windowMs: 1_000, aggression: 2 });
    const late = candidate("late", { since: 1 });
    slowStart.update(candidates(1));
    slowStart.update([late]);
    expect(slowStart.factor(late, 251)).toBeCloseTo(0.5);
  });
});

import { expect, test } from "vitest";
import { type ConcurrencyLimit, createConcurrencyLimit } from "./concurrency-limit.ts";
import { defaultConcurrencyLimitPolicy } from "./concurrency-limit-policy.ts";

const initialLimit = 16;
const createSmall = () => createConcurrencyLimit({ policy: { initialLimit } });

/** Begins calls until one is refused; how many began. */
function fill(limit: ConcurrencyLimit, criticality: "sheddable" | "normal" | "critical", now = 0): number {
  let begun = 0;
  while (limit.method("m").tryBegin(criticality, now)) begun += 1;
  return begun;
}

test.each(["sheddable", "normal", "critical"] as const)(
  "calls that are all %s may use the whole limit",
  (criticality) => {
    expect(fill(createSmall(), criticality)).toBe(initialLimit);
  },
);

test("while critical calls are seen, normal ones leave them a tenth, at least one place, and they may go a quarter over the limit", () => {
  const limit = createSmall();
  limit.method("m").tryBegin("critical", 0);
  expect(1 + fill(limit, "normal")).toBe(14);
  expect(fill(limit, "critical")).toBe(6);
  const small = createConcurrencyLimit({ policy: { initialLimit: 4 } });
  small.method("m").tryBegin("critical", 0);
  expect(1 + fill(small, "normal")).toBe(3);
});

test("while normal calls are seen, sheddable ones fill at most 70 %", () => {
  const limit = createSmall();
  limit.method("m").tryBegin("normal", 0);
  expect(1 + fill(limit, "sheddable")).toBe(11);
});

test("ten seconds after the last of them nothing is held back", () => {
  const limit = createSmall();
  const method = limit.method("m");
  method.tryBegin("critical", 0);
  method.end(0, 1, "ignored");
  expect(fill(limit, "sheddable", 10_001)).toBe(initialLimit);
});

test("a call that ends makes room for one, whatever its outcome", () => {
  const limit = createSmall();
  const method = limit.method("m");
  fill(limit, "normal");
  for (const outcome of ["answered", "ignored"] as const) {
    method.end(0, 5, outcome);
    expect(method.tryBegin("normal", 5)).toBe(true);
    expect(method.tryBegin("normal", 5)).toBe(false);
  }
});

test("the state tells what runs, what was refused by criticality, and what is known of each method", () => {
  const limit = createSmall();
  limit.method("slow").tryBegin("normal", 0);
  limit.method("slow").end(0, 30, "answered");
  expect(limit.method("slow")).toBe(limit.method("slow"));
  fill(limit, "normal", 30);
  limit.method("m").tryBegin("sheddable", 30);
  expect(limit.getState()).toMatchObject({
    limit: initialLimit,
    inFlight: initialLimit,
    phase: "open",
    admitted: initialLimit + 1,
    rejected: { sheddable: 1, normal: 1, critical: 0 },
    rejectedByLoop: 0,
    turnMs: undefined,
    baselines: { slow: 30, m: 0 },
  });
});

/** Quick calls of 10 ms, far more than there is room for, while `hanging` calls never end; what is admitted in the last ten of 20 s. */
function amongHanging(hanging: number): number {
  const limit = createSmall();
  const quick = limit.method("quick");
  for (let i = 0; i < hanging; i++) limit.method("hanging").tryBegin("normal", 0);
  const open: number[] = [];
  let before = 0;
  for (let now = 0; now < 20_000; now += 1) {
    for (let i = 0; i < 5; i++) if (quick.tryBegin("normal", now)) open.push(now);
    while (open[0] !== undefined && open[0] + 10 <= now) quick.end(open.shift() ?? 0, now, "answered");
    if (now === 10_000) before = limit.getState().admitted;
  }
  return limit.getState().admitted - before;
}

test("calls that hang leave the others their places after some seconds", () => {
  expect(amongHanging(0)).toBeGreaterThan(40_000);
  expect(amongHanging(10)).toBeGreaterThan(0.9 * amongHanging(0));
});

test("but no more than the limit again may hang", () => {
  const limit = createSmall();
  expect(fill(limit, "normal", 0)).toBe(initialLimit);
  for (let now = 1_000; now < 100_000; now += 1_000) fill(limit, "normal", now);
  expect(limit.getState().inFlight).toBe(initialLimit + defaultConcurrencyLimitPolicy.quietLimit);
});

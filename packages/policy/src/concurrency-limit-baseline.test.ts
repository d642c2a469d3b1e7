import { expect, test } from "vitest";
import { Baseline } from "./concurrency-limit-baseline.ts";

function learn(baseline: Baseline, latencyMs: number, calls: number, startedAt = 0): Baseline {
  for (let i = 0; i < calls; i++) baseline.begin(startedAt);
  for (let i = 0; i < calls; i++) baseline.add(latencyMs, startedAt);
  return baseline;
}

test("is the mean of the first twenty calls that began", () => {
  const baseline = new Baseline();
  for (let now = 0; now < 30; now++) baseline.begin(now);
  for (let now = 20; now < 30; now++) baseline.add(1, now);
  for (let now = 0; now < 20; now++) baseline.add(now < 10 ? 10 : 20, now);
  expect(baseline.mean).toBeCloseTo(15);
});

test("moves towards what a window measured as far as it is told to", () => {
  const baseline = learn(new Baseline(), 10, 20);
  learn(baseline, 30, 5, 1).settle(0);
  expect(baseline.mean).toBeCloseTo(10);
  learn(baseline, 30, 5, 1).settle(Math.LN2);
  expect(baseline.mean).toBeCloseTo(20);
  baseline.settle(10);
  expect(baseline.mean).toBeCloseTo(20);
});

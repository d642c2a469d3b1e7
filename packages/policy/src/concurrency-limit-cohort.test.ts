import { expect, test } from "vitest";
import { Cohort } from "./concurrency-limit-cohort.ts";

/** A cohort of calls that take 10 ms where the baseline says 5, opened at 100. */
function setUp(wanted: number) {
  const cohort = new Cohort(50, wanted);
  cohort.begin(90);
  cohort.open(100);
  return cohort;
}

test("measures the calls that begin while it gathers, no matter which end first", () => {
  const cohort = setUp(2);
  cohort.begin(100);
  cohort.begin(101);
  cohort.begin(102);
  cohort.end(90, 1, 5);
  cohort.end(102, 1, 5);
  expect(cohort.isComplete(110)).toBe(false);
  cohort.end(101, 12, 5);
  expect(cohort.isComplete(113)).toBe(false);
  cohort.end(100, 8, 5);
  expect(cohort.isComplete(113)).toBe(true);
  expect(cohort.ratio).toBe(2);
  expect(cohort.spread).toBe(1);
});

test("a call that tells nothing is not waited for", () => {
  const cohort = setUp(2);
  cohort.begin(100);
  cohort.begin(101);
  cohort.ignore(100);
  cohort.end(101, 10, 5);
  expect(cohort.isComplete(111)).toBe(true);
});

test("a straggler is waited for ten times as long as calls take", () => {
  const cohort = setUp(2);
  cohort.begin(100);
  cohort.begin(101);
  cohort.end(101, 10, 5);
  expect(cohort.isComplete(150)).toBe(false);
  expect(cohort.isComplete(151)).toBe(true);
});

test("after half a second ten calls are enough", () => {
  const cohort = setUp(20);
  for (let i = 0; i < 10; i++) cohort.begin(100);
  cohort.begin(600);
  for (let i = 0; i < 10; i++) cohort.end(100, 10, 5);
  cohort.end(600, 10, 5);
  expect(cohort.isComplete(610)).toBe(true);
});

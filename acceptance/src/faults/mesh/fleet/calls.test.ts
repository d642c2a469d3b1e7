import { expect, it } from "vitest";
import {
  attemptsDuring,
  attemptsEachSecond,
  during,
  failedCalls,
  goodput,
  outcomes,
  p99,
  percentOf,
  quantile,
  quietFrom,
} from "./calls.ts";
import type { Attempt, Call, Served } from "./programs/orders.ts";

const call = (startedAt: number, change: Partial<Call> = {}): Call => ({
  ...{ id: `${startedAt}`, method: "read", startedAt, tookMs: 10, outcome: "OK", instance: "a" },
  ...change,
});
const served = (...moments: readonly number[]): readonly Served[] =>
  moments.map((startedAt) => ({ call: `${startedAt}`, leftMs: undefined, startedAt, endedAt: startedAt + 1 }));
const attempt = (startedAt: number, endedAt: number | undefined = startedAt + 1, instance = "a"): Attempt => ({
  ...{ method: "read", instance, startedAt, endedAt },
});

it("a window holds what began at its start and not what began at its end", () => {
  expect(during([call(1), call(2), call(3)], { from: 2, to: 3 })).toEqual([call(2)]);
});

it("failed calls are all that were not answered, of the methods that are asked for", () => {
  const calls = [call(1), call(2, { outcome: "UNAVAILABLE" }), call(3, { method: "write", outcome: "INTERNAL" })];
  expect(failedCalls(calls)).toHaveLength(2);
  expect(failedCalls(calls, "read")).toEqual([calls[1]]);
  expect(outcomes(calls)).toEqual({ OK: 1, UNAVAILABLE: 1, INTERNAL: 1 });
});

it("the p99 is that of calls which were answered", () => {
  const calls = Array.from({ length: 100 }, (_, i) => call(i, { tookMs: i }));
  expect(p99(calls)).toBe(99);
  expect(p99([...calls, call(100, { tookMs: 5_000, outcome: "DEADLINE_EXCEEDED" })])).toBe(99);
});

it("a quantile sorts numbers as numbers, and is 0 where there are none", () => {
  expect(quantile([10, 9, 100], 0.5)).toBe(10);
  expect(quantile([], 0.99)).toBe(0);
});

it("goodput counts calls by when they were answered", () => {
  const calls = [call(990), call(1_000, { outcome: "INTERNAL" }), call(1_200), call(1_995)];
  expect(goodput(calls, { from: 1_000, to: 2_000 })).toBe(2);
});

it("an instance's share is of all handlers that began within the window", () => {
  const [one, other] = [served(1, 5, 6), served(2, 5, 7, 8)];
  expect(percentOf(one, [one, other], { from: 5, to: 8 })).toBe(50);
  expect(percentOf(one, [one, other], { from: 100 })).toBe(0);
});

it("an attempt ran during a window when it began before its end and ended after its start, or never", () => {
  const attempts = [
    attempt(1, 4),
    attempt(1, 6),
    { ...attempt(2), endedAt: undefined },
    attempt(9, 12),
    attempt(10),
    attempt(6, 7, "b"),
  ];
  expect(attemptsDuring(attempts, "a", { from: 5, to: 10 })).toEqual([attempts[1], attempts[2], attempts[3]]);
});

it("attempts at an instance are counted by the second in which they began", () => {
  const attempts = [
    attempt(999),
    attempt(1_000),
    attempt(1_999),
    attempt(2_000),
    attempt(1_500, 1_501, "b"),
    attempt(4_000),
  ];
  expect(attemptsEachSecond(attempts, "a", 1_000, 3)).toEqual([2, 1, 0]);
});

it.each([
  ["at once where nothing comes", [], 0],
  ["at once where only probes come", [100, 1_200, 2_300], 0],
  ["with the last regular call, though probes go on", [10, 20, 30, 40, 1_500, 3_000], 40],
  ["never where regular calls come until the end", [10, 20, 30, 9_970, 9_980, 9_990], undefined],
  ["not before the last regular calls, though there was a pause", [10, 20, 30, 5_000, 5_010, 5_020, 8_000], 5_020],
])("an instance is quiet %s", (_, moments, from) => {
  const attempts = moments.map((moment) => attempt(moment));
  expect(quietFrom(attempts, "a", { from: 0, to: 10_000 }, 2)).toBe(from);
});

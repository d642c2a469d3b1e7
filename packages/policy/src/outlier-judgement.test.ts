import { expect, test } from "vitest";
import { rateOutliers, type Tally, tellingRun, worseThanOthers } from "./outlier-judgement.ts";
import { defaultOutlierPolicy } from "./outlier-policy.ts";

const { successRate, failurePercentage } = defaultOutlierPolicy;
const bySuccessRate = { successRate, failurePercentage: undefined };
const byFailurePercentage = { successRate: undefined, failurePercentage };

function calls(count: number, failed: { failures?: number; refused?: number } = {}): Tally {
  const { failures = 0, refused = 0 } = failed;
  return { successes: count - failures - refused, failures, refused };
}

function fleet(...tallies: Tally[]) {
  return tallies.map((tally, host) => ({ host, tally }));
}

const good = (hosts: number, each = 20) => Array.from({ length: hosts }, () => calls(each));

test.each([3, 5, 20])("success rate: the one of %i that fails a third of its calls is an outlier", (size) => {
  const found = rateOutliers(fleet(calls(30, { failures: 10 }), ...good(size - 1, 30)), bySuccessRate);
  expect(found).toMatchObject([{ host: 0, cause: "success-rate" }]);
});

test.each([3, 5, 20])("failure percentage: the one of %i that fails half of its calls is an outlier", (size) => {
  const found = rateOutliers(fleet(calls(20, { failures: 10 }), ...good(size - 1)), byFailurePercentage);
  expect(found).toMatchObject([{ host: 0, cause: "failure-percentage" }]);
});

test("failure percentage: less than the threshold is none", () => {
  expect(rateOutliers(fleet(calls(20, { failures: 9 }), ...good(4)), byFailurePercentage)).toEqual([]);
});

test("one that refuses all is an outlier by comparison, not by its failures", () => {
  const hosts = fleet(calls(20, { refused: 20 }), ...good(4));
  expect(rateOutliers(hosts, bySuccessRate)).toMatchObject([{ host: 0 }]);
  expect(rateOutliers(hosts, byFailurePercentage)).toEqual([]);
});

test.each(["failures", "refused"] as const)("when all have the same share of %s, nobody is an outlier", (kind) => {
  const hosts = fleet(...Array.from({ length: 5 }, () => calls(100, { [kind]: 90 })));
  expect(rateOutliers(hosts, defaultOutlierPolicy)).toEqual([]);
});

test("success rate: others that differ much among themselves leave room for one that differs", () => {
  const even = fleet(calls(100, { failures: 30 }), ...Array.from({ length: 4 }, () => calls(100, { failures: 5 })));
  const uneven = fleet(
    ...[30, 0, 0, 0, 20].map((failures) => calls(100, { failures })),
    // the others' mean is 0.95 and their deviation 0.087, so the line is at 0.78
  );
  expect(rateOutliers(even, bySuccessRate)).toHaveLength(1);
  expect(rateOutliers(uneven, bySuccessRate)).toHaveLength(1);
  const moreUneven = fleet(...[30, 0, 0, 0, 30].map((failures) => calls(100, { failures })));
  expect(rateOutliers(moreUneven, bySuccessRate)).toEqual([]);
});

test("too few endpoints with volume, or too few calls of its own, are not judged", () => {
  expect(rateOutliers(fleet(calls(20, { failures: 20 }), calls(20), calls(4)), bySuccessRate)).toEqual([]);
  expect(rateOutliers(fleet(calls(4, { failures: 4 }), ...good(4)), defaultOutlierPolicy)).toEqual([]);
  expect(rateOutliers(fleet(calls(20, { failures: 20 })), defaultOutlierPolicy)).toEqual([]);
});

test("the worst comes first", () => {
  const hosts = fleet(
    calls(50, { failures: 30 }),
    ...good(6, 50),
    ...[48, 38].map((failures) => calls(50, { failures })),
  );
  expect(rateOutliers(hosts, defaultOutlierPolicy).map(({ host }) => host)).toEqual([7, 8, 0]);
});

test("a few failures of a few calls may be chance; the same share of many calls is not", () => {
  expect(worseThanOthers(calls(10, { failures: 2 }), calls(20))).toBe(false);
  expect(worseThanOthers(calls(200, { failures: 40 }), calls(400))).toBe(true);
});

test("a shortfall of less than a tenth is not worth an endpoint, however certain", () => {
  expect(worseThanOthers(calls(100_000, { failures: 9_000 }), calls(400_000))).toBe(false);
  expect(worseThanOthers(calls(100_000, { failures: 11_000 }), calls(400_000))).toBe(true);
});

test("the more the others fail, the longer a run of failures must be to tell something", () => {
  expect(tellingRun(0, 5)).toBe(5);
  expect(tellingRun(0.05, 5)).toBe(5);
  expect(tellingRun(0.25, 5)).toBe(10);
  expect(tellingRun(0.5, 5)).toBe(20);
  expect(tellingRun(1, 5)).toBe(Number.POSITIVE_INFINITY);
});

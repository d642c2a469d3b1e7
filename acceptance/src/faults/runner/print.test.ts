import { expect, it } from "vitest";
import { createFindings } from "./findings.ts";
import { asJson, printed } from "./print.ts";

const findings = createFindings();
findings.figure("events", 20_000);
findings.count("lost", 0, 0);
findings.count("doubled", 2, 0);
findings.atLeast("sold", 5, 4);
findings.atLeast("refunded", 3, 4);
findings.within("take-over", 812.4, 5_000, "ms");
findings.within("p99 of other keys", 2.345, 2, "times");
findings.violation("order 7 is nowhere");
const report = { row: "events-kill", ok: false, seconds: 61, findings: findings.all };

it("prints a line a finding for people: counts that are wrong are marked, times are judged", () => {
  expect(
    printed(report)
      .split("\n")
      .map((line) => line.replace(/ {2,}/g, "  ")),
  ).toEqual([
    "✗ events-kill (61 s)",
    "  events  20000",
    "  lost  0",
    "  doubled  ✗ doubled: 2 instead of 0",
    "  sold  5 ≥ 4",
    "  refunded  ✗ refunded: 3 instead of at least 4",
    "  take-over  met 812 ms ≤ 5000 ms",
    "  p99 of other keys  missed 2.35 times ≤ 2 times",
    "  ✗ order 7 is nowhere",
    "",
  ]);
});

it("prints one JSON object a row for programs", () => {
  expect(JSON.parse(asJson(report))).toEqual({
    row: "events-kill",
    ok: false,
    seconds: 61,
    figures: { events: 20_000 },
    counts: {
      lost: { seen: 0, wanted: 0 },
      doubled: { seen: 2, wanted: 0 },
      sold: { seen: 5, least: 4 },
      refunded: { seen: 3, least: 4 },
    },
    bars: {
      "take-over": { value: 812.4, bar: 5_000, unit: "ms", judged: "met" },
      "p99 of other keys": { value: 2.345, bar: 2, unit: "times", judged: "missed" },
    },
    violations: ["doubled: 2 instead of 0", "refunded: 3 instead of at least 4", "order 7 is nowhere"],
  });
});

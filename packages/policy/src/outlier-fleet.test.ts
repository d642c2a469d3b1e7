import fc from "fast-check";
import { expect, test } from "vitest";
import type { OutlierEndpoint, OutlierOutcome } from "./outlier.ts";
import { createOutlierDetector } from "./outlier-detector.ts";
import { simulateFleet } from "./testing/outlier-fleet.ts";

const sizes = [3, 5, 20];

test.each(sizes)("one of %i that fails every call is out within two intervals' traffic and stays out", (size) => {
  const fleet = simulateFleet({ size, rate: size === 20 ? 200 : 50 });
  fleet.behave("e0", () => "failure");
  fleet.time.runUntil(60_000);
  expect(fleet.ejectedAt("e0")).toBeLessThanOrEqual(2_000);
  // Five to find it, what was under way meanwhile, and one trial each at about 5, 15, 30 and 50 s.
  expect(fleet.count("failure")).toBeLessThanOrEqual(12);
  expect(fleet.events.filter((event) => event.kind === "ejected" && event.id !== "e0")).toEqual([]);
});

test.each(sizes)("one of %i that refuses every call is out within two intervals and attracts nothing", (size) => {
  const fleet = simulateFleet({ size, rate: size === 20 ? 200 : 50 });
  fleet.behave("e0", () => "refused");
  fleet.time.runUntil(3_000);
  expect(fleet.ejectedAt("e0")).toBeLessThanOrEqual(2_000);
  const found = fleet.count("refused");
  fleet.time.runUntil(60_000);
  expect(fleet.count("refused") - found).toBeLessThanOrEqual(4);
});

test.each(sizes)("one of %i that fails half of its calls is out most of the time", (size) => {
  const fleet = simulateFleet({ size, rate: 60 * size });
  fleet.behave("e0", (random) => (random() < 0.5 ? "failure" : "success"));
  fleet.time.runUntil(60_000);
  expect(fleet.ejectedAt("e0")).toBeLessThanOrEqual(2_000);
  expect(fleet.msOut()).toBeGreaterThan(0.9 * 60_000);
});

test.each(sizes)("an even fleet of %i at 5 %% random errors keeps its endpoints", (size) => {
  for (const rate of [50, 500]) {
    const fleet = simulateFleet({ size, rate, seed: 3 });
    for (let i = 0; i < size; i++) fleet.behave(`e${i}`, (random) => (random() < 0.05 ? "failure" : "success"));
    fleet.time.runUntil(300_000);
    expect(fleet.msOut() / (size * 300_000)).toBeLessThan(0.005);
  }
});

test.each(["failure", "silence", "refused"] as const)("when all end in %s for a minute, all are kept", (outcome) => {
  const fleet = simulateFleet({ size: 5, rate: 100 });
  fleet.time.runUntil(5_000);
  for (let i = 0; i < 5; i++) fleet.behave(`e${i}`, () => outcome);
  fleet.time.runUntil(65_000);
  // The first to reach five in a row may go before the others are seen to fail.
  expect(fleet.detector.getState().out).toBeLessThanOrEqual(1);
  for (let i = 0; i < 5; i++) fleet.behave(`e${i}`, () => "success");
  fleet.time.runUntil(72_000);
  expect(fleet.detector.getState().out).toBe(0);
});

test("an overloaded fleet, where each call times out with the same chance, keeps its capacity", () => {
  const fleet = simulateFleet({ size: 5, rate: 300, seed: 5 });
  for (let i = 0; i < 5; i++) fleet.behave(`e${i}`, (random) => (random() < 0.6 ? "silence" : "success"));
  fleet.time.runUntil(120_000);
  expect(fleet.msOut() / (5 * 120_000)).toBeLessThan(0.05);
});

test("one that recovers takes calls again within its ejection and an interval", () => {
  const fleet = simulateFleet({ size: 3, rate: 50 });
  fleet.behave("e0", () => "failure");
  fleet.time.runUntil(3_000);
  fleet.behave("e0", () => "success");
  fleet.time.runUntil(8_000);
  expect(fleet.detector.getState().out).toBe(0);
  const before = fleet.count("success", "e0");
  fleet.time.runUntil(18_000);
  // A third of 500.
  expect(fleet.count("success", "e0") - before).toBeGreaterThan(120);
});

interface Step {
  readonly kind: OutlierOutcome | "wait" | "track" | "forget" | "unreachable" | "reachable" | "begin";
  readonly endpoint: number;
  readonly times: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    "failure",
    "failure",
    "silence",
    "success",
    "refused",
    "ignored",
    "wait",
    "wait",
    "track",
    "forget",
    "unreachable",
    "reachable",
    "begin",
  ),
  endpoint: fc.nat(9),
  times: fc.integer({ min: 1, max: 12 }),
});

test("whatever happens, never more than half of those there are are out, and who is out takes one call at most", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      let now = 0;
      const detector = createOutlierDetector({ clock: { now: () => now }, random: () => 0.3 });
      const tracked = new Map<string, OutlierEndpoint>();
      const open: { endpoint: OutlierEndpoint; began: number }[] = [];
      for (const { kind, endpoint: index, times } of steps) {
        const id = `e${index}`;
        const endpoint = tracked.get(id);
        if (kind === "wait") {
          for (let i = 0; i < times; i++) {
            now += 1_000;
            detector.sweep();
          }
        } else if (kind === "track") tracked.set(id, detector.track(id));
        else if (!endpoint) continue;
        else if (kind === "forget") {
          endpoint.forget();
          tracked.delete(id);
        } else if (kind === "unreachable") endpoint.unreachable();
        else if (kind === "reachable") endpoint.reachable();
        else if (kind === "begin") {
          if (endpoint.admits) open.push({ endpoint, began: endpoint.begin() });
        } else {
          const ended = open.shift();
          ended?.endpoint.record(kind, ended.began);
          for (let i = 0; i < times && endpoint.admits; i++) endpoint.record(kind, endpoint.begin());
        }
        const { endpoints, out, maxOut } = detector.getState();
        const kinds = endpoints.map(({ state }) => state.kind);
        expect(endpoints.map((each) => each.id).sort()).toEqual([...tracked.keys()].sort());
        expect(kinds.filter((each) => each !== "in")).toHaveLength(out);
        expect(out).toBeLessThanOrEqual(Math.floor(tracked.size / 2));
        expect(maxOut).toBe(Math.floor(tracked.size / 2));
        const admitting = [...tracked.values()].filter((each) => each.admits).length;
        expect(admitting).toBeGreaterThanOrEqual(tracked.size - out);
        expect(admitting).toBeLessThanOrEqual(tracked.size - kinds.filter((each) => each === "ejected").length);
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

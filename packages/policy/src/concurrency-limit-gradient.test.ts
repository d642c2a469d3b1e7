import { expect, test } from "vitest";
import type { Criticality } from "./method-policy.ts";
import {
  constant,
  exponentially,
  type Figures,
  type SimulatedServer,
  simulateWorkers,
} from "./testing/concurrency-limit-server.ts";

const workers = 10;
const meanMs = 10;
/** Calls a second. */
const capacity = (workers * 1_000) / meanMs;

interface Kind {
  readonly name: string;
  readonly serviceMs: (random: () => number) => number;
}
const kinds: readonly Kind[] = [
  { name: "constant", serviceMs: constant(meanMs) },
  { name: "exponential", serviceMs: exponentially(meanMs) },
];

function at(server: SimulatedServer, times: number, serviceMs = exponentially(meanMs), ms = 5_000): Figures {
  server.load({ rate: times * capacity, serviceMs });
  return server.pass(ms);
}

test.each(kinds)(
  "at ten times the capacity ($name): 90 % goodput, p99 below 3 × unloaded, no rejection 2 s after",
  ({ serviceMs }) => {
    for (const seed of [1, 2, 3]) {
      const server = simulateWorkers(workers, seed);
      const unloaded = at(server, 0.3, serviceMs).p(0.99);
      at(server, 0.5, serviceMs);
      // From the first moment of the overload.
      const overload = at(server, 10, serviceMs, 10_000);
      expect(overload.goodputPerSecond).toBeGreaterThan(0.9 * capacity);
      expect(overload.p(0.99)).toBeLessThan(3 * unloaded);
      at(server, 0.5, serviceMs, 2_000);
      expect(at(server, 0.5, serviceMs).rejected).toBe(0);
    }
  },
);

test.each(kinds)("at twice the capacity ($name) likewise", ({ serviceMs }) => {
  const server = simulateWorkers(workers, 4);
  const unloaded = at(server, 0.3, serviceMs).p(0.99);
  const overload = at(server, 2, serviceMs, 10_000);
  expect(overload.goodputPerSecond).toBeGreaterThan(0.9 * capacity);
  expect(overload.p(0.99)).toBeLessThan(4 * unloaded);
});

test("at half the capacity, and at 80 %, nothing is refused", () => {
  for (const seed of [1, 2, 3]) {
    const server = simulateWorkers(workers, seed);
    expect(at(server, 0.5).rejected).toBe(0);
    const busy = at(server, 0.8, undefined, 20_000);
    expect(busy.rejected / busy.arrived).toBeLessThan(0.002);
  }
});

test("a few calls that take a hundred times as long as the others are no overload, while the load grows either", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const server = simulateWorkers(1_000, seed);
    const serviceMs = (random: () => number) => (random() < 0.05 ? 1_500 : 10 + 5 * random());
    let rejected = 0;
    for (const rate of [10, 40, 70, 100, 150, 150, 150, 150, 150, 150]) {
      server.load({ rate, serviceMs });
      rejected += server.pass(3_000).rejected;
    }
    expect(rejected).toBe(0);
  }
});

test("bursts of eight at 80 % of the capacity are refused little once they are known", () => {
  const server = simulateWorkers(40, 2);
  server.load({ rate: 3_200, burst: 8, serviceMs: exponentially(meanMs) });
  server.pass(10_000);
  const bursts = server.pass(20_000);
  expect(bursts.rejected / bursts.arrived).toBeLessThan(0.001);
});

test("bursts that are no overload don't tighten the limit", () => {
  let [rejected, arrived] = [0, 0];
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const server = simulateWorkers(workers, seed);
    server.load({ rate: 160, burst: 8, serviceMs: exponentially(50) });
    server.pass(5_000);
    const bursts = server.pass(20_000);
    rejected += bursts.rejected;
    arrived += bursts.arrived;
  }
  // With a queue of no more than 50 ms it would be 30 %.
  expect(rejected / arrived).toBeLessThan(0.12);
});

test("of calls that take a fraction of a millisecond, dozens at once are no congestion", () => {
  const server = simulateWorkers(4, 2);
  const dozens = { rate: 3_000, burst: 64, serviceMs: constant(0.2) };
  server.load(dozens);
  const first = server.pass(20_000);
  expect(first.rejected / first.arrived).toBeLessThan(0.001);
  server.load({ rate: 200_000, serviceMs: constant(0.2) });
  const overload = server.pass(2_000);
  expect(overload.goodputPerSecond).toBeGreaterThan(0.9 * 20_000);
  expect(overload.p(0.99)).toBeLessThan(15);
  server.load({ rate: 20, serviceMs: constant(0.2) });
  server.pass(60_000);
  server.load(dozens);
  const again = server.pass(20_000);
  expect(again.rejected / again.arrived).toBeLessThan(0.001);
});

test("a server that has just started takes what comes at once", () => {
  const server = simulateWorkers(40, 2);
  server.load({ rate: 3_200, serviceMs: exponentially(meanMs) });
  expect(server.pass(5_000).rejected).toBe(0);
});

test("what was needed is remembered through a quiet while", () => {
  const server = simulateWorkers(40, 2);
  const load = (rate: number) => server.load({ rate, serviceMs: exponentially(meanMs) });
  load(3_200);
  server.pass(10_000);
  load(100);
  server.pass(5_000);
  load(3_200);
  expect(server.pass(2_000).rejected).toBe(0);
});

test("overload is over with the first call that finds the server idle", () => {
  const server = simulateWorkers(workers, 2);
  at(server, 10, undefined, 2_000);
  expect(server.limit.getState().phase).not.toBe("open");
  server.load();
  server.pass(1_000);
  server.limit.method("call").tryBegin("normal", server.time.now());
  expect(server.limit.getState().phase).toBe("open");
});

test("under light load the baseline follows the service, down and up, without a probe", () => {
  const server = simulateWorkers(workers, 2);
  at(server, 0.3, constant(10));
  at(server, 0.3, constant(5), 30_000);
  expect(server.limit.getState().baselines.call).toBeCloseTo(5, 0);
  at(server, 0.3, constant(6), 30_000);
  expect(server.limit.getState().baselines.call).toBeCloseTo(6, 0);
});

test("after an idle hour 80 % of the capacity is taken at once", () => {
  const server = simulateWorkers(workers, 2);
  at(server, 0.5);
  server.load({ rate: 0.1, serviceMs: exponentially(meanMs) });
  server.pass(3_600_000);
  expect(at(server, 0.8).rejected).toBeLessThan(10);
});

test("a server that starts in overload finds its capacity, and latency without waiting, within seconds", () => {
  for (const seed of [1, 2, 3]) {
    const server = simulateWorkers(workers, seed);
    at(server, 10, undefined, 4_000);
    const overload = at(server, 10, undefined, 10_000);
    expect(overload.goodputPerSecond).toBeGreaterThan(0.9 * capacity);
    expect(overload.p(0.99)).toBeLessThan(10 * meanMs);
    const { call } = server.limit.getState().baselines;
    expect(call).toBeGreaterThan(0.6 * meanMs);
    expect(call).toBeLessThan(1.6 * meanMs);
  }
});

test("an overload that creeps up doesn't raise its own limit", () => {
  const server = simulateWorkers(40, 1);
  for (let times = 0.8; times < 1.5; times += 0.02) {
    server.load({ rate: times * 800, serviceMs: exponentially(50) });
    server.pass(3_000);
  }
  const overload = server.pass(5_000);
  expect(overload.goodputPerSecond).toBeGreaterThan(0.9 * 800);
  expect(overload.p(0.5)).toBeLessThan(6 * 50);
});

test("when what all calls wait for becomes ten times slower the limit follows within seconds, and comes back", () => {
  const server = simulateWorkers(20 * workers, 2);
  let slower = 1;
  server.load({ rate: capacity / 2, serviceMs: (random) => slower * exponentially(meanMs)(random) });
  server.pass(10_000);
  slower = 10;
  server.pass(10_000);
  expect(server.pass(10_000).rejected).toBe(0);
  slower = 1;
  server.pass(2_000);
  const after = server.pass(5_000);
  expect(after.rejected).toBe(0);
  expect(after.p(0.99)).toBeLessThan(6 * meanMs);
});

test("when the capacity falls to a third for a while, calls are shed meanwhile and none two seconds after", () => {
  const server = simulateWorkers(workers, 2);
  let slower = 1;
  server.load({ rate: capacity / 2, serviceMs: (random) => slower * exponentially(meanMs)(random) });
  server.pass(10_000);
  slower = 3;
  const meanwhile = server.pass(20_000);
  expect(meanwhile.goodputPerSecond).toBeGreaterThan((0.9 * capacity) / 3);
  slower = 1;
  server.pass(2_000);
  expect(server.pass(5_000).rejected).toBe(0);
});

/** A tenth of the calls take 25 times as long as the others. */
function mixed(times: number, slowShare: number) {
  const mean = (1 - slowShare) * 2 + slowShare * 50;
  const rate = (times * workers * 1_000) / mean;
  return [
    { method: "quick", rate: rate * (1 - slowShare), serviceMs: exponentially(2) },
    { method: "slow", rate: rate * slowShare, serviceMs: exponentially(50) },
  ];
}

test("quick and slow methods on one server: a change of the mix is no congestion, and overload is found all the same", () => {
  const server = simulateWorkers(workers, 2);
  for (const slowShare of [0.1, 0.9, 0.02]) {
    server.load(...mixed(0.6, slowShare));
    const { rejected, arrived } = server.pass(10_000);
    expect(rejected / arrived).toBeLessThan(0.005);
  }
  server.load(...mixed(10, 0.1));
  const overload = server.pass(10_000);
  expect(overload.goodputPerSecond).toBeGreaterThan((0.88 * workers * 1_000) / 6.8);
  expect(overload.p(0.99, { method: "quick" })).toBeLessThan(60);
  server.load(...mixed(0.6, 0.1));
  server.pass(2_000);
  const { rejected, arrived } = server.pass(5_000);
  expect(rejected / arrived).toBeLessThan(0.005);
});

test("calls of seconds among calls of milliseconds don't take the limit from these", () => {
  const server = simulateWorkers(40, 2);
  const loads = (quick: number) => [
    { method: "quick", rate: quick, serviceMs: exponentially(2) },
    { method: "report", rate: 4, serviceMs: constant(3_000) },
  ];
  server.load(...loads(500));
  server.pass(10_000);
  expect(server.pass(20_000).rejected).toBe(0);
  // Reports take 12 of the workers; the quick calls can have 28.
  server.load(...loads(140_000));
  expect(server.pass(5_000).count("accepted", { method: "quick" })).toBeGreaterThan(0.9 * 5 * 14_000);
  server.load(...loads(500));
  server.pass(7_000);
  // The end of a report isn't three seconds' work in one moment.
  expect(server.limit.getState().limit).toBeLessThan(350);
});

test("streams don't count as slow calls: ended as ignored, they leave limit and baselines as they are", () => {
  const server = simulateWorkers(workers, 2);
  at(server, 0.5, undefined, 10_000);
  const before = server.limit.getState();
  server.load(
    { rate: capacity / 2, serviceMs: exponentially(meanMs) },
    { method: "watch", outcome: "ignored", rate: 0.5, serviceMs: constant(1_000) },
  );
  expect(server.pass(20_000).rejected).toBe(0);
  const after = server.limit.getState();
  expect(after.baselines.watch).toBe(0);
  expect(after.baselines.call).toBeLessThan(1.3 * (before.baselines.call ?? 0));
});

test("in overload the less critical are shed first, and the critical hardly at all", () => {
  const server = simulateWorkers(workers, 2);
  const load = (criticality: Criticality, times: number) => ({
    criticality,
    rate: times * capacity,
    serviceMs: exponentially(meanMs),
  });
  server.load(load("critical", 0.3), load("normal", 0.5), load("sheddable", 5));
  server.pass(2_000);
  const overload = server.pass(10_000);
  const refused = (criticality: Criticality) =>
    overload.count("rejected", { criticality }) /
    (overload.count("accepted", { criticality }) + overload.count("rejected", { criticality }));
  expect(refused("critical")).toBeLessThan(0.002);
  expect(refused("normal")).toBeLessThan(0.25);
  expect(refused("sheddable")).toBeGreaterThan(0.9);
});

test("the limit is never below its least, nor above its most", () => {
  const server = simulateWorkers(1, 2);
  at(server, 1, undefined, 200);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 200; i++) {
    server.pass(50);
    least = Math.min(least, server.limit.getState().limit);
  }
  expect(least).toBeGreaterThanOrEqual(4);
  expect(least).toBeLessThan(8);
});

import { expect, test } from "vitest";
import { LoopGuard } from "./concurrency-limit-loop.ts";
import { defaultConcurrencyLimitPolicy } from "./concurrency-limit-policy.ts";
import type { Criticality } from "./method-policy.ts";
import { constant, simulateLoop } from "./testing/concurrency-limit-server.ts";

const policy = defaultConcurrencyLimitPolicy.loop;

/** Runs calls of `ms` each in one turn that begins at `from`; how many of `count` began. */
function turn(guard: LoopGuard, from: number, count: number, ms: number, criticality: Criticality = "normal"): number {
  let now = from;
  let begun = 0;
  for (let i = 0; i < count; i++) {
    if (!guard.admits(criticality, now)) continue;
    guard.begin(now);
    begun += 1;
    now += ms;
  }
  guard.endTurn(now);
  return begun;
}

/** Has begun a thousand calls. */
function warm(): LoopGuard {
  const guard = new LoopGuard(policy);
  for (let now = 0; now < 1_000; now += 1) turn(guard, now, 1, 0.01);
  return guard;
}

function overloaded(): LoopGuard {
  const guard = new LoopGuard(policy);
  for (const now of [0, 50, 100]) guard.observe(30, 1, now);
  return guard;
}

test("a loop delay that stands for 100 ms is overload", () => {
  expect(overloaded().state).toEqual({ kind: "overloaded", turnMs: policy.minTurnMs });
});

test("a single long pause is not, and neither are delays with a good moment between", () => {
  const guard = new LoopGuard(policy);
  guard.observe(5_000, 0.1, 5_000);
  expect(guard.state.kind).toBe("calm");
  expect(turn(guard, 5_001, 200, 0.01)).toBe(200);
  for (let now = 5_020; now < 8_000; now += 60) {
    guard.observe(40, 1, now);
    guard.observe(1, 0.5, now + 20);
  }
  expect(guard.state.kind).toBe("calm");
});

test("a loop that sleeps between is not overloaded, however late it is woken", () => {
  const guard = new LoopGuard(policy);
  for (let now = 0; now < 2_000; now += 50) guard.observe(30, 0.8, now);
  expect(guard.state.kind).toBe("calm");
});

test("calls that are held back count for what calls took before", () => {
  const guard = overloaded();
  for (let now = 110; now < 200; now += 10) turn(guard, now, 1, 0.5);
  let begun = 0;
  for (let i = 0; i < 100; i++) {
    if (!guard.admits("normal", 200)) continue;
    guard.begin(200);
    begun += 1;
  }
  expect(begun).toBe(4);
});

test("one turn that begins calls for more than 50 ms sheds the rest of what it read", () => {
  expect(turn(warm(), 1_000, 100, 10)).toBe(8);
  expect(turn(warm(), 1_000, 1_000, 1)).toBe(51);
});

test("a process that has just started may take four times as long", () => {
  expect(turn(new LoopGuard(policy), 0, 500, 1)).toBe(201);
});

test("a few calls that compute for long are no overload", () => {
  const guard = new LoopGuard(policy);
  expect(turn(guard, 0, 8, 100)).toBe(8);
  expect(guard.state.kind).toBe("calm");
});

test("the less critical is shed first", () => {
  const began = (["sheddable", "normal", "critical"] as const).map((each) => turn(overloaded(), 110, 100, 0.5, each));
  expect(began).toEqual([2, 4, 40]);
});

test("the first call of a turn always begins, so an idle server sheds nothing", () => {
  const guard = overloaded();
  for (let now = 110; now < 200; now += 10) expect(turn(guard, now, 1, 1)).toBe(1);
});

test("a loop that has time to spare is calm again within half a second", () => {
  const guard = overloaded();
  guard.observe(0, 0.5, 110);
  for (let now = 110; now < 600; now += 10) turn(guard, now, 1, 3);
  expect(guard.state.kind).toBe("calm");
});

test("a loop that is busy all the time keeps its turns short", () => {
  const guard = overloaded();
  guard.observe(0, 0.5, 110);
  for (let now = 110; now < 5_000; now += 5) turn(guard, now, 10, 5);
  expect(guard.state).toEqual({ kind: "overloaded", turnMs: policy.minTurnMs });
});

const computeMs = 5;
const capacity = 1_000 / computeMs;
const load = (times: number, criticality: Criticality = "normal") => ({
  rate: times * capacity,
  criticality,
  serviceMs: constant(computeMs),
});

test("handlers that compute, at ten times the capacity: 90 % goodput, short waits, and normal again at once", () => {
  const server = simulateLoop(3);
  server.load(load(0.3));
  const unloaded = server.pass(5_000).p(0.99);
  server.load(load(10));
  const onset = server.pass(1_000);
  const overload = server.pass(10_000);
  expect(onset.p(0.99)).toBeLessThan(250);
  expect(overload.goodputPerSecond).toBeGreaterThan(0.9 * capacity);
  expect(overload.p(0.99)).toBeLessThan(3 * unloaded);
  server.load(load(0.5));
  server.pass(1_000);
  expect(server.pass(5_000).rejected).toBe(0);
});

test("handlers that compute, below capacity: nothing is shed", () => {
  const server = simulateLoop(3);
  server.load(load(0.6));
  expect(server.pass(20_000).rejected).toBe(0);
});

test("handlers that compute: critical calls go on while normal ones are shed", () => {
  const server = simulateLoop(3);
  server.load(load(0.3, "critical"), load(10, "normal"));
  server.pass(1_000);
  const overload = server.pass(5_000);
  expect(overload.count("rejected", { criticality: "critical" })).toBeLessThan(
    0.2 * overload.count("accepted", { criticality: "critical" }),
  );
});

test("a process that was stopped for five seconds works off what came meanwhile and sheds nothing a second later", () => {
  const server = simulateLoop(3);
  server.load(load(0.4));
  server.pass(2_000);
  server.pause(5_000);
  server.pass(6_000);
  server.pass(1_000);
  expect(server.pass(5_000).rejected).toBe(0);
});

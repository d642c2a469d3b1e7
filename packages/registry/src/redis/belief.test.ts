import { expect, test } from "vitest";
import { summary } from "../conformance.ts";
import type { Instance } from "../registry.ts";
import { createBelief } from "./belief.ts";
import type { Snapshot } from "./record.ts";

function setUp() {
  let time = 0;
  const belief = createBelief({ removalMs: 6_000, clock: { now: () => time } });
  const observe = (next: Snapshot | undefined) => {
    const list = belief.observe(next);
    return list && summary(list);
  };
  return { belief, observe, advance: (ms: number) => (time += ms) };
}

/** A snapshot of version `born.count`; `b?` is late. */
function snapshot(version: string, ...names: string[]): Snapshot {
  const listed = names.map((name) => {
    const id = name.replace("?", "");
    const instance: Instance = {
      service: "a.B",
      instance: id,
      host: "h",
      port: 1,
      metadata: {},
      epoch: 1,
      state: "UP",
    };
    return { instance, late: name.endsWith("?") };
  });
  return { mark: version, version, listed };
}

test("the first list is told even if it is empty, and then only what differs", () => {
  const { observe } = setUp();
  expect(observe(snapshot(""))).toEqual([]);
  expect(observe(snapshot(""))).toBeUndefined();
  expect(observe(snapshot("1.1", "a"))).toEqual(["a UP"]);
  expect(observe(undefined)).toBeUndefined();
});

test("a shrink is believed at once while Redis was there all the time", () => {
  const { observe } = setUp();
  observe(snapshot("1.2", "a", "b"));
  expect(observe(snapshot("1.3", "a"))).toEqual(["a UP"]);
});

test("after an interruption nobody is late or gone until the removal interval has passed, but newcomers are seen", () => {
  const { belief, observe, advance } = setUp();
  observe(snapshot("1.2", "a", "b"));
  belief.interrupted();
  expect(observe(snapshot("1.3", "a?"))).toBeUndefined();
  expect(observe(snapshot("1.4", "a?", "c"))).toEqual(["a UP", "b UP", "c UP"]);
  advance(5_999);
  expect(observe(undefined)).toBeUndefined();
  advance(1);
  expect(observe(undefined)).toEqual(["a DOWN", "c UP"]);
});

test.each([
  ["vanished", ""],
  ["was born again", "2.9"],
  ["went backwards", "1.1"],
])("a version that %s casts the same doubt", (_, version) => {
  const { observe, advance } = setUp();
  observe(snapshot("1.2", "a", "b"));
  expect(observe(snapshot(version))).toBeUndefined();
  advance(6_000);
  expect(observe(undefined)).toEqual([]);
});

test("an instance that comes back with another epoch replaces the one that was kept", () => {
  const { belief, observe } = setUp();
  observe(snapshot("1.1", "a"));
  belief.interrupted();
  const restarted = snapshot("1.2", "a");
  const listed = restarted.listed.map((one) => ({ ...one, instance: { ...one.instance, epoch: 2 } }));
  expect(belief.observe({ ...restarted, listed })).toMatchObject([{ instance: "a", epoch: 2 }]);
});

test("an interruption before the first list casts no doubt on it", () => {
  const { belief, observe } = setUp();
  belief.interrupted();
  observe(snapshot("1.1", "a", "b"));
  expect(observe(snapshot("1.2", "a"))).toEqual(["a UP"]);
});

import { expect, test } from "vitest";
import { summary } from "../conformance.ts";
import type { Instance } from "../registry.ts";
import { createBelief } from "./belief.ts";
import type { Snapshot } from "./listing.ts";

function setUp() {
  let time = 0;
  const answering = new Set<string>();
  const stillAnswers = ({ instance }: Instance) => answering.has(instance);
  const belief = createBelief({ removalMs: 6_000, clock: { now: () => time }, stillAnswers });
  const observe = (next: Snapshot | undefined) => {
    const list = belief.observe(next);
    return list && summary(list);
  };
  return { belief, observe, answering, advance: (ms: number) => (time += ms) };
}

/** A snapshot of version `born.count`; `b?` is late, `-b` was released; each has its own port, unless it is said: `b:1`. */
function snapshot(version: string, ...names: string[]): Snapshot {
  const there = names.filter((name) => !name.startsWith("-"));
  return {
    version,
    instances: there.map((name) => instanceOf(name.replace("?", ""))),
    late: new Set(there.filter((name) => name.endsWith("?")).map((name) => name.slice(0, -1))),
    released: new Set(names.filter((name) => name.startsWith("-")).map((name) => name.slice(1))),
  };
}

function instanceOf(name: string): Instance {
  const [instance = "", port = 1_000 + name.charCodeAt(0)] = name.split(":");
  return { service: "a.B", instance, host: "h", port: Number(port), metadata: {}, epoch: 1, state: "UP" };
}

test("the first list is told even if it is empty, and then only what differs", () => {
  const { observe } = setUp();
  expect(observe(snapshot(""))).toEqual([]);
  expect(observe(snapshot(""))).toBeUndefined();
  expect(observe(snapshot("1.1", "a"))).toEqual(["a UP"]);
  expect(observe(undefined)).toBeUndefined();
});

test("a release is believed at once, however many there are", () => {
  const { observe } = setUp();
  observe(snapshot("1.4", "a", "b", "c", "d"));
  expect(observe(snapshot("1.7", "a", "-b", "-c", "-d"))).toEqual(["a UP"]);
  expect(observe(snapshot("1.8", "-a"))).toEqual([]);
});

test("a rolling restart is believed step by step", () => {
  const { observe } = setUp();
  observe(snapshot("1.2", "a", "b"));
  expect(observe(snapshot("1.4", "-a", "b", "c"))).toEqual(["b UP", "c UP"]);
  expect(observe(snapshot("1.6", "-b", "c", "d"))).toEqual(["c UP", "d UP"]);
});

test("where no more than half are late or gone at once, it is believed at once", () => {
  const { observe } = setUp();
  observe(snapshot("1.4", "a", "b", "c", "d"));
  expect(observe(snapshot("1.4", "a", "b", "c?", "d?"))).toEqual(["a UP", "b UP", "c DOWN", "d DOWN"]);
  expect(observe(snapshot("1.5", "a", "b"))).toEqual(["a UP", "b UP"]);
});

test.each([
  ["are late", snapshot("1.4", "a", "b?", "c?")],
  ["are gone", snapshot("1.5", "a")],
  ["are late or gone", snapshot("1.5", "a", "c?")],
])("where more than half %s at once, they are kept for one removal interval", (_, shrunken) => {
  const { observe, advance } = setUp();
  observe(snapshot("1.3", "a", "b", "c"));
  expect(observe(shrunken)).toBeUndefined();
  advance(5_999);
  expect(observe(undefined)).toBeUndefined();
  advance(1);
  expect(observe(snapshot("1.6", "a"))).toEqual(["a UP"]);
});

test("losses that follow each other within one removal interval count together", () => {
  const { observe, advance } = setUp();
  observe(snapshot("1.4", "a", "b", "c", "d"));
  expect(observe(snapshot("1.4", "a", "b", "c", "d?"))).toEqual(["a UP", "b UP", "c UP", "d DOWN"]);
  advance(1_000);
  expect(observe(snapshot("1.4", "a", "b", "c?", "d?"))).toEqual(["a UP", "b UP", "c DOWN", "d DOWN"]);
  advance(1_000);
  expect(observe(snapshot("1.4", "a", "b?", "c?", "d?"))).toEqual(["a UP", "b UP", "c UP", "d UP"]);
  advance(6_000);
  expect(observe(snapshot("1.7", "a"))).toEqual(["a UP"]);
});

test("losses that are further apart are believed one by one", () => {
  const { observe, advance } = setUp();
  observe(snapshot("1.4", "a", "b", "c", "d"));
  observe(snapshot("1.5", "a", "b", "c"));
  advance(6_000);
  observe(snapshot("1.6", "a", "b"));
  advance(6_000);
  expect(observe(snapshot("1.7", "a"))).toEqual(["a UP"]);
});

test("whoever comes back after a sudden loss is as it was, and a release meanwhile is believed", () => {
  const { observe } = setUp();
  observe(snapshot("1.3", "a", "b", "c"));
  expect(observe(snapshot("1.6"))).toBeUndefined();
  expect(observe(snapshot("1.8", "a", "-b"))).toEqual(["a UP", "c UP"]);
  expect(observe(snapshot("1.9", "a", "c"))).toBeUndefined();
});

test("an instance that still answers is kept, late or gone, for as long as it does", () => {
  const { observe, answering, advance } = setUp();
  observe(snapshot("1.3", "a", "b", "c"));
  answering.add("c");
  expect(observe(snapshot("1.3", "a", "b", "c?"))).toBeUndefined();
  expect(observe(snapshot("1.4", "a", "b"))).toBeUndefined();
  advance(600_000);
  expect(observe(undefined)).toBeUndefined();
  answering.clear();
  expect(observe(undefined)).toEqual(["a UP", "b UP"]);
  answering.add("c");
  expect(observe(undefined)).toBeUndefined();
});

test("an instance that withdrew is gone, even if it still answers", () => {
  const { observe, answering } = setUp();
  observe(snapshot("1.2", "a", "b"));
  answering.add("b");
  expect(observe(snapshot("1.3", "a", "-b"))).toEqual(["a UP"]);
});

test("an address that answers for another instance by now keeps nobody", () => {
  const { observe, answering } = setUp();
  observe(snapshot("1.3", "a", "b", "c:7"));
  answering.add("c");
  expect(observe(snapshot("1.5", "a", "b", "d:7"))).toEqual(["a UP", "b UP", "d UP"]);
});

test("an instance that was late when it was first seen is DOWN at once", () => {
  const { observe } = setUp();
  expect(observe(snapshot("1.1", "a?"))).toEqual(["a DOWN"]);
  expect(observe(snapshot("1.2"))).toEqual([]);
});

test("what the first snapshot lacks of a remembered list is kept for one removal interval, and newcomers are seen", () => {
  const { belief, observe, advance } = setUp();
  belief.remember([instanceOf("a"), instanceOf("b"), instanceOf("c")]);
  expect(observe(snapshot("1.2", "a", "b"))).toBeUndefined();
  expect(observe(snapshot("1.3", "a", "b", "d"))).toEqual(["a UP", "b UP", "c UP", "d UP"]);
  advance(6_000);
  expect(observe(undefined)).toEqual(["a UP", "b UP", "d UP"]);
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
  const instances = restarted.instances.map((one) => ({ ...one, epoch: 2 }));
  expect(belief.observe({ ...restarted, instances })).toMatchObject([{ instance: "a", epoch: 2 }]);
});

test("an interruption before the first list casts no doubt on it", () => {
  const { belief, observe } = setUp();
  belief.interrupted();
  observe(snapshot("1.1", "a", "b"));
  expect(observe(snapshot("1.2", "a", "b?"))).toEqual(["a UP", "b DOWN"]);
  expect(observe(snapshot("1.3", "a"))).toEqual(["a UP"]);
});

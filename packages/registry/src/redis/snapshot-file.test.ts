import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../conformance.ts";
import type { Instance } from "../registry.ts";
import { openSnapshotFile, type SnapshotFileOptions } from "./snapshot-file.ts";
import { recordLog } from "./testing/record-log.ts";

const service = "shop.user.v1.UserService";
let folder: string;
let path: string;
let { logger, warnings } = recordLog();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-snapshot-"));
  path = join(folder, "state", "registry.json");
  ({ logger, warnings } = recordLog());
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: Partial<SnapshotFileOptions> = {}) {
  return openSnapshotFile({ path, logger, ...options });
}

function instanceOf(instance: string, more: Partial<Instance> = {}): Instance {
  const metadata = { version: "1.2.3", zone: "eu-1a", weight: 2 };
  return {
    service,
    instance,
    host: "10.0.0.7",
    port: 9000,
    metadata,
    epoch: 1_764_300_000_000_001,
    state: "UP",
    ...more,
  };
}

test("the next process recalls the lists, with the identity of each instance and without its load", async () => {
  const list = [instanceOf("a"), instanceOf("b", { state: "DRAINING", host: "::1" })];
  const first = open();
  expect(first.recall(service)).toBeUndefined();
  first.note(service, [{ ...list[0], load: { eventLoopDelayMs: 1, inFlight: 2 } } as Instance, list[1] as Instance]);
  await first.close();
  expect(open().recall(service)).toEqual(list);
  expect(warnings).toEqual([]);
});

test("changes are written together, and only to the file's owner", async () => {
  vi.useFakeTimers();
  const file = open({ delayMs: 2_000 });
  file.note(service, [instanceOf("a")]);
  vi.advanceTimersByTime(1_999);
  file.note(service, [instanceOf("a"), instanceOf("b")]);
  expect(readdirSync(folder)).toEqual([]);
  vi.advanceTimersByTime(1);
  vi.useRealTimers();
  await eventually(() => expect(readdirSync(join(folder, "state"))).toEqual(["registry.json"]));
  expect(open().recall(service)).toHaveLength(2);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a service that was emptied is forgotten, one that this process doesn't watch is not", async () => {
  const first = open();
  first.note(service, [instanceOf("a")]);
  first.note("shop.order.v1.OrderService", [instanceOf("b", { service: "shop.order.v1.OrderService" })]);
  await first.close();
  const second = open();
  second.note(service, []);
  await second.close();
  const third = open();
  expect(third.recall(service)).toBeUndefined();
  expect(third.recall("shop.order.v1.OrderService")).toHaveLength(1);
});

test.each([
  ["cut off", '{"format":"weft-registry-snapshot","version":2,"serv'],
  ["somebody else's", '{"users":[]}'],
  ["of another version", '{"format":"weft-registry-snapshot","version":1,"services":{}}'],
  ["no object", "[]"],
  ["too large", `{"format":"weft-registry-snapshot","version":2,"services":{}}${" ".repeat(1_000)}`],
])("a file that is %s is a warning, and the next write replaces it", async (_, content) => {
  mkdirSync(join(folder, "state"));
  writeFileSync(path, content);
  const file = open({ mostBytes: 1_000 });
  expect(file.recall(service)).toBeUndefined();
  expect(warnings).toEqual(["registry: the snapshot is of no use and is left aside"]);
  file.note(service, [instanceOf("a")]);
  await file.close();
  expect(open().recall(service)).toEqual([instanceOf("a")]);
});

test.each([
  ["has an address that can't be called", { host: "169.254.169.254" }],
  ["has no port", { port: 0 }],
  ["has no epoch", { epoch: "1" }],
  ["has another state", { state: "GONE" }],
  ["has no metadata", { metadata: null }],
])("an instance in it that %s is left out", async (_, change) => {
  mkdirSync(join(folder, "state"));
  const instances = [instanceOf("a"), { ...instanceOf("b"), ...change }, 7];
  const content = {
    format: "weft-registry-snapshot",
    version: 2,
    services: {
      [service]: { upheldAt: Date.now(), instances },
      "not a service": { upheldAt: Date.now(), instances },
      "of.no.Age": { instances },
      "of.no.List": { upheldAt: Date.now() },
      "of.Nothing": null,
    },
  };
  writeFileSync(path, JSON.stringify(content));
  const file = open();
  expect(file.recall(service)).toEqual([instanceOf("a")]);
  for (const other of ["not a service", "of.no.Age", "of.no.List", "of.Nothing"])
    expect(file.recall(other)).toBeUndefined();
});

describe("by a wall clock", () => {
  const hourMs = 3_600_000;
  const list = [instanceOf("a")];
  let now: number;
  const wallClock = { now: () => now };

  beforeEach(async () => {
    now = 1_764_300_000_000;
    const file = open({ wallClock });
    file.note(service, list);
    await file.close();
  });

  test("a list is recalled for a day after it was last upheld, by no process later", () => {
    const early = open({ wallClock });
    now += 24 * hourMs - 1;
    expect(open({ wallClock }).recall(service)).toEqual(list);
    expect(early.recall(service)).toEqual(list);
    now += 1;
    expect(open({ wallClock }).recall(service)).toBeUndefined();
    expect(early.recall(service)).toBeUndefined();
  });

  test("a list that holds for long stays young, and is hardly ever written for it", async () => {
    const file = open({ wallClock });
    file.note(service, list);
    await file.close();
    const written = () => statSync(path, { bigint: true }).ino;
    for (let hours = 0; hours < 48; hours += 1) {
      now += hourMs - 2;
      const before = written();
      file.note(service, list);
      await file.close();
      expect(written()).toBe(before);
      now += 2;
      file.note(service, list);
      await file.close();
      expect(written()).not.toBe(before);
    }
    expect(open({ wallClock }).recall(service)).toEqual(list);
  });

  test("a list that nobody upholds leaves the file when another is written", async () => {
    now += 24 * hourMs;
    const other = "shop.order.v1.OrderService";
    const file = open({ wallClock });
    file.note(other, [instanceOf("b", { service: other })]);
    await file.close();
    expect(readFileSync(path, "utf8")).toContain(other);
    expect(readFileSync(path, "utf8")).not.toContain(service);
  });

  test("a list from a time that is still to come for more than a day is none to go by", () => {
    now -= 24 * hourMs;
    expect(open({ wallClock }).recall(service)).toBeUndefined();
  });
});

test("a list for which there is no room is left out with a warning, and others are kept", async () => {
  const other = "shop.order.v1.OrderService";
  const file = open({ mostBytes: 2_000 });
  file.note(
    service,
    Array.from({ length: 100 }, (_, i) => instanceOf(`i${i}`)),
  );
  file.note(other, [instanceOf("a", { service: other })]);
  await file.close();
  expect(warnings.join()).toContain(`no room for ${service}`);
  expect(readFileSync(path).length).toBeLessThanOrEqual(2_000);
  expect(open().recall(other)).toHaveLength(1);
});

test("a file that can't be written is a warning, once", async () => {
  const file = openSnapshotFile({ path: join(folder, "state"), logger });
  mkdirSync(join(folder, "state"));
  for (const name of ["a", "b"]) {
    file.note(service, [instanceOf(name)]);
    await file.close();
  }
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("could not be written");
});

import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isInvalidRegistration, isLeaseLost, isRegistryClosed } from "./errors.ts";
import type { Instance, Registration, Registry } from "./registry.ts";

/** What the suite needs to know of a registry. One is set up for each test. */
export interface RegistryHarness {
  /** A registry over the same data, as another process of the mesh would have. */
  connect(): Registry;
  /** Registers from somewhere that can be killed without a farewell. */
  startMortal(registration: Registration): Promise<Mortal>;
  readonly heartbeatMs: number;
  close(): Promise<void>;
}

export interface Mortal {
  kill(): Promise<void>;
}

/** The suite that every registry passes. Uses service names of its own, so that a shared server will do. */
export function describeRegistry(name: string, setUp: () => Promise<RegistryHarness>): void {
  describe(name, () => {
    let harness: RegistryHarness;
    let service: string;
    beforeEach(async () => {
      harness = await setUp();
      service = uniqueService();
    });
    afterEach(() => harness.close());

    const registrationOf = (instance: string, more: Partial<Registration> = {}): Registration => ({
      service,
      instance,
      host: "10.0.0.7",
      port: 9000,
      metadata: {},
      ...more,
    });

    test("a registered instance is listed with everything it said", async () => {
      const registry = harness.connect();
      const registration = registrationOf("a", {
        host: "user-1.example",
        metadata: { version: "1.2.3", zone: "eu-1a", weight: 2, note: 'umlaut ü, "quotes" and spaces' },
      });
      const lease = await registry.register(registration);
      expect(lease.epoch).toBeGreaterThan(0);
      expect(Number.isSafeInteger(lease.epoch)).toBe(true);
      const [instance, ...others] = await harness.connect().list(service);
      expect(instance).toMatchObject({ ...registration, epoch: lease.epoch, state: "UP" });
      expect(others).toEqual([]);
    });

    test("an unknown service has no instances", async () => {
      expect(await harness.connect().list(service)).toEqual([]);
    });

    test("instances of other services are not listed", async () => {
      const registry = harness.connect();
      await registry.register(registrationOf("a"));
      await registry.register(registrationOf("b", { service: uniqueService() }));
      expect((await registry.list(service)).map(({ instance }) => instance)).toEqual(["a"]);
    });

    test("the list is sorted by instance id", async () => {
      const registry = harness.connect();
      for (const instance of ["c", "a", "b"]) await registry.register(registrationOf(instance));
      expect((await registry.list(service)).map(({ instance }) => instance)).toEqual(["a", "b", "c"]);
    });

    test("services are listed while they have instances", async () => {
      const registry = harness.connect();
      const lease = await registry.register(registrationOf("a"));
      expect(await harness.connect().services()).toContain(service);
      await lease.release();
      expect(await harness.connect().services()).not.toContain(service);
    });

    test("a watch gives the list that is there at first, empty or not", async () => {
      const registry = harness.connect();
      const before = record(registry, service);
      await before.watch.ready;
      expect(before.seen).toEqual([[]]);
      await registry.register(registrationOf("a"));
      const after = record(harness.connect(), service);
      await after.watch.ready;
      expect(after.seen).toEqual([["a UP"]]);
    });

    test("two watchers see every instance come, change and go", async () => {
      const watchers = [record(harness.connect(), service), record(harness.connect(), service)];
      await Promise.all(watchers.map(({ watch }) => watch.ready));
      const registry = harness.connect();
      const a = await registry.register(registrationOf("a"));
      for (const watcher of watchers) await watcher.until("a UP");
      await registry.register(registrationOf("b"));
      for (const watcher of watchers) await watcher.until("a UP", "b UP");
      await a.update({ state: "DRAINING" });
      for (const watcher of watchers) await watcher.until("a DRAINING", "b UP");
      await a.release();
      for (const watcher of watchers) await watcher.until("b UP");
    });

    test("several watches of one registry live and end apart", async () => {
      const registry = harness.connect();
      const [first, second] = [record(registry, service), record(registry, service)];
      await Promise.all([first.watch.ready, second.watch.ready]);
      first.watch.close();
      await registry.register(registrationOf("a"));
      await second.until("a UP");
      expect(first.seen).toEqual([[]]);
      const third = record(registry, service);
      await third.until("a UP");
    });

    test("a watcher hears nothing while nothing changes", async () => {
      const registry = harness.connect();
      await registry.register(registrationOf("a"));
      const watcher = record(harness.connect(), service);
      await watcher.until("a UP");
      await pause(5 * harness.heartbeatMs);
      expect(watcher.seen).toEqual([["a UP"]]);
    });

    test("a change is applied when its promise resolves", async () => {
      const registry = harness.connect();
      const lease = await registry.register(registrationOf("a"));
      const other = harness.connect();
      await lease.update({ state: "DRAINING" });
      expect(summary(await other.list(service))).toEqual(["a DRAINING"]);
      await lease.update({ state: "UP" });
      expect(summary(await other.list(service))).toEqual(["a UP"]);
      await lease.release();
      expect(await other.list(service)).toEqual([]);
    });

    test("a state survives the heartbeats after it", async () => {
      const registry = harness.connect();
      const lease = await registry.register(registrationOf("a"));
      await lease.update({ state: "DRAINING" });
      await pause(3 * harness.heartbeatMs);
      expect(summary(await registry.list(service))).toEqual(["a DRAINING"]);
    });

    test("releasing twice does no harm", async () => {
      const lease = await harness.connect().register(registrationOf("a"));
      await lease.release();
      await lease.release();
    });

    test("a lease lasts as long as its owner lives", async () => {
      const watcher = record(harness.connect(), service);
      await harness.connect().register(registrationOf("a"));
      await watcher.until("a UP");
      await pause(7 * harness.heartbeatMs);
      expect(summary(await harness.connect().list(service))).toEqual(["a UP"]);
      expect(watcher.seen.at(-1)).toEqual(["a UP"]);
    });

    test("an instance that was killed is DOWN after two missed heartbeats and gone after three", async () => {
      const mortal = await harness.startMortal(registrationOf("a"));
      await harness.connect().register(registrationOf("b"));
      const watcher = record(harness.connect(), service);
      await watcher.until("a UP", "b UP");
      await mortal.kill();
      await watcher.until("b UP");
      expect(watcher.seen).toContainEqual(["a DOWN", "b UP"]);
      expect(summary(await harness.connect().list(service))).toEqual(["b UP"]);
    });

    test("the last instance of a service expires as well", async () => {
      const mortal = await harness.startMortal(registrationOf("a"));
      const watcher = record(harness.connect(), service);
      await watcher.until("a UP");
      await mortal.kill();
      await watcher.until();
      const registry = harness.connect();
      expect(await registry.list(service)).toEqual([]);
      await eventually(async () => expect(await registry.services()).not.toContain(service));
    });

    test("an instance that registers again has a higher epoch, and its former self is fenced", async () => {
      const stale = await harness.connect().register(registrationOf("a", { port: 9001 }));
      const fresh = await harness.connect().register(registrationOf("a", { port: 9002 }));
      expect(fresh.epoch).toBeGreaterThan(stale.epoch);
      await eventually(() => expect(isLeaseLost(stale.lost.reason)).toBe(true));
      await expect(stale.update({ state: "DOWN" })).rejects.toSatisfy(isLeaseLost);
      await stale.release();
      await pause(2 * harness.heartbeatMs);
      expect(await harness.connect().list(service)).toMatchObject([{ port: 9002, epoch: fresh.epoch, state: "UP" }]);
      expect(fresh.lost.aborted).toBe(false);
    });

    test("a stale lease learns of its loss when it tries to change something", async () => {
      const stale = await harness.connect().register(registrationOf("a"));
      await harness.connect().register(registrationOf("a"));
      await expect(stale.update({ state: "DRAINING" })).rejects.toSatisfy(isLeaseLost);
      expect(summary(await harness.connect().list(service))).toEqual(["a UP"]);
    });

    test("an instance may come back after its release", async () => {
      const registry = harness.connect();
      const first = await registry.register(registrationOf("a"));
      await first.release();
      const second = await registry.register(registrationOf("a"));
      expect(second.epoch).toBeGreaterThan(first.epoch);
      expect(summary(await registry.list(service))).toEqual(["a UP"]);
    });

    test("closing a registry releases its leases, ends its watches and refuses further use", async () => {
      const registry = harness.connect();
      await registry.register(registrationOf("a"));
      const watcher = record(registry, service);
      await watcher.until("a UP");
      await registry.close();
      await registry.close();
      const other = harness.connect();
      expect(await other.list(service)).toEqual([]);
      await other.register(registrationOf("b"));
      await pause(2 * harness.heartbeatMs);
      expect(watcher.seen).toEqual([["a UP"]]);
      await expect(registry.register(registrationOf("a"))).rejects.toSatisfy(isRegistryClosed);
      await expect(registry.list(service)).rejects.toSatisfy(isRegistryClosed);
      await expect(registry.services()).rejects.toSatisfy(isRegistryClosed);
    });

    test("a watch that is closed before its first list says so", async () => {
      const { watch, seen } = record(harness.connect(), service);
      watch.close();
      await expect(watch.ready).rejects.toSatisfy(isRegistryClosed);
      expect(seen).toEqual([]);
    });

    test("a registration that no client could use is refused and leaves nothing", async () => {
      const registry = harness.connect();
      const bad = registrationOf("a", { host: "0.0.0.0" });
      await expect(registry.register(bad)).rejects.toSatisfy(isInvalidRegistration);
      expect(await registry.list(service)).toEqual([]);
    });
  });
}

/** A proto full name that no other test has. */
export function uniqueService(): string {
  return `weft.test.t${randomUUID().replaceAll("-", "")}.Service`;
}

/** Repeats a check until it holds; fails with its last complaint. */
export async function eventually(check: () => void | Promise<void>, withinMs = 10_000): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= until) throw error;
      await pause(10);
    }
  }
}

/** `["a UP", "b DRAINING"]`. */
export function summary(instances: readonly Instance[]): string[] {
  return instances.map(({ instance, state }) => `${instance} ${state}`);
}

/** A watch and all that it has seen. */
export function record(registry: Registry, service: string) {
  const seen: string[][] = [];
  const watch = registry.watch(service, (instances) => seen.push(summary(instances)));
  return {
    seen,
    watch,
    until: (...expected: string[]) => eventually(() => expect(seen.at(-1)).toEqual(expected)),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

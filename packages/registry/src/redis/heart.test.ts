import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import { Redis } from "ioredis";
import { expect, test, vi } from "vitest";
import { eventually, record, summary, uniqueService } from "../conformance.ts";
import { isRegistrationDenied } from "../errors.ts";
import type { RedisRegistryOptions } from "./redis-registry.ts";
import { openInTests, registrationOf, sharedRedisUrl } from "./testing/open-in-tests.ts";
import { recordLog } from "./testing/record-log.ts";
import { startMember } from "./testing/start-member.ts";

const threads = vi.hoisted((): Worker[] => []);
vi.mock("node:worker_threads", async (original) => {
  const real = await original<typeof import("node:worker_threads")>();
  class WatchedWorker extends real.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      threads.push(this);
    }
  }
  return { ...real, Worker: WatchedWorker };
});

const heartbeatMs = 200;
const url = sharedRedisUrl();
const { own, connect: connectTo, redisServer } = openInTests({ heartbeatMs });
const connect = (options?: Partial<RedisRegistryOptions>) => connectTo(url, options);

function client(): Redis {
  const redis = new Redis(url);
  own(async () => redis.disconnect());
  return redis;
}

async function member(service: string, blockedMs: number) {
  const started = await startMember({ url, heartbeatMs, blockedMs, registration: registrationOf(service) });
  own(() => started.kill());
  return started;
}

test("a main thread that is busy for longer than a lease lasts is not a death, but shows in the load", async () => {
  const service = uniqueService();
  const registry = connect();
  const busy = await member(service, 60_000);
  const watcher = record(registry, service);
  await watcher.until("a UP");
  busy.block(60_000);
  await eventually(async () => {
    const [instance] = await registry.list(service);
    expect(instance?.state).toBe("UP");
    expect(instance?.load?.eventLoopDelayMs).toBeGreaterThan(5 * heartbeatMs);
  });
  expect(watcher.seen).toEqual([["a UP"]]);
});

test("a main thread that stands still for too long loses its lease, and has it back when it moves again", async () => {
  const service = uniqueService();
  const blocked = await member(service, 800);
  const watcher = record(connect(), service);
  await watcher.until("a UP");
  blocked.block(2_500);
  await watcher.until();
  // Dropped, not expired: nobody saw it late.
  expect(watcher.seen).toEqual([["a UP"], []]);
  await watcher.until("a UP");
});

test("heartbeats carry the load, which moves no version", async () => {
  const service = uniqueService();
  let inFlight = 1;
  const registry = connect({ load: () => ({ eventLoopDelayMs: 1.5, inFlight }) });
  await registry.register(registrationOf(service));
  const loadIs = (load: object) =>
    eventually(async () => expect((await registry.list(service))[0]?.load).toEqual(load));
  await loadIs({ eventLoopDelayMs: 1.5, inFlight: 1 });
  const version = await client().get(`weft:{${service}}:version`);
  inFlight = 42;
  await loadIs({ eventLoopDelayMs: 1.5, inFlight: 42 });
  expect(await client().get(`weft:{${service}}:version`)).toBe(version);
});

test("a service has four keys in one hash slot; its version is left after it, and for an hour the log of its changes", async () => {
  const service = uniqueService();
  const redis = client();
  const lease = await connect().register(registrationOf(service));
  const keys = (await redis.keys(`*${service}*`)).sort();
  const [log, version] = [`weft:{${service}}:log`, `weft:{${service}}:version`];
  expect(keys).toEqual([`weft:{${service}}:instances`, `weft:{${service}}:leases`, log, version]);
  await lease.release();
  expect((await redis.keys(`*${service}*`)).sort()).toEqual([log, version]);
  const left = await redis.pttl(log);
  expect(left).toBeGreaterThan(3_500_000);
  expect(left).toBeLessThanOrEqual(3_600_000);
});

test("a lease expires by Redis's clock, three intervals ahead", async () => {
  const service = uniqueService();
  const redis = client();
  await connect({ heartbeatMs: 5_000 }).register(registrationOf(service));
  const [seconds, micros] = await redis.time();
  const left =
    Number(await redis.zscore(`weft:{${service}}:leases`, "a")) - (Number(seconds) * 1_000 + Number(micros) / 1_000);
  expect(left).toBeGreaterThan(10_000);
  expect(left).toBeLessThanOrEqual(15_000);
});

test("a process with many leases beats for them one after the other within the interval", async () => {
  const service = uniqueService();
  const redis = client();
  const registry = connect({ heartbeatMs: 1_000 });
  const instances = Array.from({ length: 500 }, (_, i) => registrationOf(service, `i${i}`));
  await Promise.all(instances.map((registration) => registry.register(registration)));
  const expiries = async () => {
    const scores = (await redis.zrange(`weft:{${service}}:leases`, 0, "-1", "WITHSCORES")).filter(
      (_, i) => i % 2 === 1,
    );
    return scores.map(Number);
  };
  const registered = Math.max(...(await expiries()));
  let renewed: readonly number[] = [];
  await eventually(async () => {
    renewed = await expiries();
    expect(Math.min(...renewed)).toBeGreaterThan(registered);
  });
  expect(renewed).toHaveLength(500);
  // By Redis's clock: the first of them was renewed well before the last.
  expect(Math.max(...renewed) - Math.min(...renewed)).toBeGreaterThan(500);
});

test("a service that is full takes no further instance, and says what to do", async () => {
  const service = uniqueService();
  // Were it tried again, the test would end before.
  const registry = connect({ maxInstances: 2, registerTimeoutMs: 600_000 });
  const [lease] = await Promise.all(["a", "b"].map((instance) => registry.register(registrationOf(service, instance))));
  const refused = await registry.register(registrationOf(service, "c")).catch((error: unknown) => error);
  expect(isRegistrationDenied(refused) && refused.message).toContain(`${service} has 2 instances`);
  expect(String(refused)).toContain("maxInstances");
  await lease?.release();
  await registry.register(registrationOf(service, "c"));
  expect(summary(await registry.list(service))).toEqual(["b UP", "c UP"]);
});

test("what expired is swept by any other instance's heartbeat", async () => {
  const service = uniqueService();
  const redis = client();
  await connect().register(registrationOf(service));
  await redis.zadd(`weft:{${service}}:leases`, "1", "ghost");
  const ghost = "ghost 0 0 1 UP 10.0.0.1 1 {}";
  await redis.hset(`weft:{${service}}:instances`, "ghost", ghost);
  await eventually(async () => {
    expect(await redis.zrange(`weft:{${service}}:leases`, "0", "-1")).toEqual(["a"]);
    expect(await redis.hkeys(`weft:{${service}}:instances`)).toEqual(["a"]);
  });
});

test("a process that only waits for its registration does not end before", async () => {
  const service = uniqueService();
  const source = fileURLToPath(new URL("./redis-registry.ts", import.meta.url));
  const script = `
    const { createRedisRegistry } = await import(${JSON.stringify(source)});
    const registry = createRedisRegistry(${JSON.stringify({ url, heartbeatMs })});
    await registry.register(${JSON.stringify(registrationOf(service))});
    console.log("registered");
    if (process.argv[1] === "close") await registry.close();
  `;
  const run = (mode: string) => promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, mode]);
  expect((await run("leave")).stdout.trim()).toBe("registered");
  // Neither the thread nor its timers kept the process alive, and without a farewell the lease is still there.
  expect(summary(await connect().list(service))).toEqual(["a UP"]);
  expect((await run("close")).stdout.trim()).toBe("registered");
  expect(await connect().list(service)).toEqual([]);
});

test("a heartbeat thread that dies is replaced, and its leases go on under their epochs", async () => {
  const service = uniqueService();
  const redis = client();
  const registry = connect();
  const lease = await registry.register(registrationOf(service));
  await threads.at(-1)?.terminate();
  await redis.del(`weft:{${service}}:leases`, `weft:{${service}}:instances`);
  await eventually(async () =>
    expect(await registry.list(service)).toMatchObject([{ epoch: lease.epoch, state: "UP" }]),
  );
  await lease.update({ state: "DRAINING" });
  expect(summary(await registry.list(service))).toEqual(["a DRAINING"]);
});

test("a heartbeat thread that dies while Redis is away for longer than a registration tries is replaced all the same", async () => {
  const service = uniqueService();
  const { logger, errors } = recordLog();
  const redis = await redisServer();
  const registry = connect({ url: redis.url, registerTimeoutMs: 100, logger });
  const lease = await registry.register(registrationOf(service));
  await redis.kill();
  await threads.at(-1)?.terminate();
  await eventually(() => expect(errors).toEqual(["registry: a lease could not be taken over yet"]));
  await redisServer(redis.port);
  await eventually(async () =>
    expect(await registry.list(service)).toMatchObject([{ epoch: lease.epoch, state: "UP" }]),
  );
});

test("what is asked of a lease while a new thread takes it over is not forgotten", async () => {
  const service = uniqueService();
  const redis = await redisServer();
  const registry = connect({ url: redis.url });
  const kept = await registry.register(registrationOf(service));
  const released = await registry.register(registrationOf(service, "b"));
  await redis.kill();
  const started = threads.length;
  await threads.at(-1)?.terminate();
  // The new one is told of its leases as soon as it is there.
  await eventually(() => expect(threads).toHaveLength(started + 1));
  await expect(kept.update({ state: "DRAINING" })).rejects.toThrow();
  await released.release();
  await redisServer(redis.port);
  await eventually(async () => expect(summary(await registry.list(service))).toContain("a DRAINING"));
  // And so it stays, beat after beat.
  await setTimeout(5 * heartbeatMs);
  expect(summary(await registry.list(service))).toEqual(["a DRAINING"]);
});

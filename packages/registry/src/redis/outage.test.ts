import { expect, test } from "vitest";
import { eventually, record, summary, uniqueService } from "../conformance.ts";
import { isRegistryUnavailable } from "../errors.ts";
import { keysOf } from "./keys.ts";
import { openInTests, registrationOf } from "./testing/open-in-tests.ts";
import { freePort } from "./testing/start-redis.ts";

const heartbeatMs = 200;
const { connect, redisServer } = openInTests({ heartbeatMs });

test("register waits for a Redis that comes later", async () => {
  const port = await freePort();
  const service = uniqueService();
  const registry = connect(`redis://127.0.0.1:${port}`);
  const watcher = record(registry, service);
  const registering = registry.register(registrationOf(service, "a"));
  await redisServer(port);
  expect((await registering).epoch).toBeGreaterThan(0);
  await watcher.until("a UP");
});

test("register gives up after its time with an error that names Redis, not its password", async () => {
  const port = await freePort();
  const registry = connect(`redis://user:secret@127.0.0.1:${port}`, { registerTimeoutMs: 300 });
  const error = await registry.register(registrationOf(uniqueService(), "a")).catch((thrown: unknown) => thrown);
  expect(isRegistryUnavailable(error) && error.message).toContain(`Redis at 127.0.0.1:${port}`);
  expect(String(error)).toContain("ECONNREFUSED");
  expect(String(error)).not.toContain("secret");
});

test("a question that Redis can't answer is refused in bounded time", async () => {
  const registry = connect(`redis://127.0.0.1:${await freePort()}`, { commandTimeoutMs: 200 });
  await expect(registry.list("a.B")).rejects.toSatisfy(isRegistryUnavailable);
  await expect(registry.services()).rejects.toSatisfy(isRegistryUnavailable);
});

test("a registry closes in bounded time while Redis is away", async () => {
  const redis = await redisServer();
  const registry = connect(redis.url);
  await registry.register(registrationOf(uniqueService(), "a"));
  await redis.kill();
  await registry.close();
});

test("FLUSHALL is repaired by the next heartbeat, with the same epochs, and watchers notice nothing", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const leases = [
    await connect(redis.url).register(registrationOf(service, "a")),
    await connect(redis.url).register(registrationOf(service, "b")),
  ];
  await leases[1]?.update({ state: "DRAINING" });
  const watcher = record(connect(redis.url), service);
  await watcher.until("a UP", "b DRAINING");
  await redis.client.flushall();
  const reader = connect(redis.url);
  await eventually(async () => {
    const list = await reader.list(service);
    expect(summary(list)).toEqual(["a UP", "b DRAINING"]);
    expect(list.map(({ epoch }) => epoch)).toEqual(leases.map(({ epoch }) => epoch));
    expect(await reader.services()).toEqual([service]);
  });
  const latecomer = await connect(redis.url).register(registrationOf(service, "c"));
  await watcher.until("a UP", "b DRAINING", "c UP");
  expect(watcher.seen).toEqual([
    ["a UP", "b DRAINING"],
    ["a UP", "b DRAINING", "c UP"],
  ]);
  expect(latecomer.lost.aborted).toBe(false);
});

test("a Redis that is gone for long and comes back empty is filled again, and watchers keep their lists meanwhile", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  for (const instance of ["a", "b", "c"]) await connect(redis.url).register(registrationOf(service, instance));
  const watcher = record(connect(redis.url), service);
  await watcher.until("a UP", "b UP", "c UP");
  await redis.kill();
  // Longer than any lease lasts.
  await new Promise((resolve) => setTimeout(resolve, 4 * heartbeatMs));
  const successor = await redisServer(redis.port);
  const reader = connect(successor.url);
  await eventually(async () => expect(summary(await reader.list(service))).toEqual(["a UP", "b UP", "c UP"]));
  await connect(successor.url).register(registrationOf(service, "d"));
  await watcher.until("a UP", "b UP", "c UP", "d UP");
  expect(watcher.seen).toEqual([
    ["a UP", "b UP", "c UP"],
    ["a UP", "b UP", "c UP", "d UP"],
  ]);
});

test("an instance that died while Redis was away is believed gone, one removal interval after", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const mortal = connect(redis.url);
  await mortal.register(registrationOf(service, "a"));
  await connect(redis.url).register(registrationOf(service, "b"));
  const watcher = record(connect(redis.url), service);
  await watcher.until("a UP", "b UP");
  await redis.kill();
  await mortal.close();
  await redisServer(redis.port);
  await watcher.until("b UP");
});

test("a change of state that Redis missed is told by a later heartbeat", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const lease = await connect(redis.url).register(registrationOf(service, "a"));
  await redis.kill();
  await eventually(async () =>
    expect(await lease.update({ state: "DRAINING" }).catch((error: unknown) => error)).toSatisfy(isRegistryUnavailable),
  );
  const successor = await redisServer(redis.port);
  const reader = connect(successor.url);
  await eventually(async () => expect(summary(await reader.list(service))).toEqual(["a DRAINING"]));
});

test("a Redis that hangs without closing its connections is survived", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  await connect(redis.url).register(registrationOf(service, "a"));
  const watcher = record(connect(redis.url, { commandTimeoutMs: 300 }), service);
  await watcher.until("a UP");
  process.kill(redis.pid as number, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 5 * heartbeatMs));
  process.kill(redis.pid as number, "SIGCONT");
  await connect(redis.url).register(registrationOf(service, "b"));
  await watcher.until("a UP", "b UP");
  expect(watcher.seen).toEqual([["a UP"], ["a UP", "b UP"]]);
});

test("a change whose hint was lost is seen with the next heartbeat", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  await connect(redis.url).register(registrationOf(service, "a"));
  const watcher = record(connect(redis.url), service);
  await watcher.until("a UP");
  const [leases, instances, version, log] = keysOf(service);
  const born = (await redis.client.get(version))?.split(".")[0];
  const expiry = Date.now() + 60_000;
  const said = "b 0 0 9 UP 10.0.0.1 1 {}";
  const change = redis.client.multi().zadd(leases, expiry, "b").hset(instances, "b", said);
  await change.zadd(log, 2, "+b").set(version, `${born}.2`).exec();
  await watcher.until("a UP", "b UP");
});

test("a heartbeat connection that was cut comes back and keeps the lease", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const registry = connect(redis.url);
  const lease = await registry.register(registrationOf(service, "a"));
  const clients = String(await redis.client.client("LIST"));
  const heart = /^id=(\d+).* name=weft-heart/m.exec(clients)?.[1];
  await redis.client.client("KILL", "ID", heart ?? "none");
  await redis.client.flushall();
  await eventually(async () =>
    expect(await registry.list(service)).toMatchObject([{ instance: "a", epoch: lease.epoch }]),
  );
});

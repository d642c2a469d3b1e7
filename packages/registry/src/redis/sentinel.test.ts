import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { eventually, record, summary, uniqueService } from "../conformance.ts";
import { isRegistryUnavailable } from "../errors.ts";
import { channelOf } from "./keys.ts";
import { createRedisRegistry } from "./redis-registry.ts";
import { openInTests, registrationOf } from "./testing/open-in-tests.ts";
import { startHoldingProxy } from "./testing/start-holding-proxy.ts";
import { startMember } from "./testing/start-member.ts";
import { type SentinelRedis, startSentinels } from "./testing/start-sentinels.ts";

const heartbeatMs = 200;
const patience = 60_000;
const { own, connect } = openInTests({ heartbeatMs });

async function sentinels(): Promise<SentinelRedis> {
  const redis = await startSentinels();
  own(() => redis.close());
  return redis;
}

test("a master that is killed is followed by its replica, and nobody is taken for gone meanwhile", {
  timeout: patience,
}, async () => {
  const redis = await sentinels();
  const service = uniqueService();
  const lease = await connect(redis.url).register(registrationOf(service, "a"));
  const member = await startMember({
    url: redis.url,
    heartbeatMs,
    blockedMs: 60_000,
    registration: registrationOf(service, "b"),
  });
  own(() => member.kill());
  const registry = connect(redis.url);
  const watcher = record(registry, service);
  await watcher.until("a UP", "b UP");

  await redis.master.kill();
  await redis.failedOver();
  // The heartbeats of the same leases reach the new master.
  await eventually(async () => {
    const list = await registry.list(service);
    expect(summary(list)).toEqual(["a UP", "b UP"]);
    expect(list[0]?.epoch).toBe(lease.epoch);
  }, 30_000);
  await connect(redis.url).register(registrationOf(service, "c"));
  await watcher.until("a UP", "b UP", "c UP");
  expect(watcher.seen).toEqual([
    ["a UP", "b UP"],
    ["a UP", "b UP", "c UP"],
  ]);
  await member.kill();
  await watcher.until("a UP", "c UP");
});

test("a master that hangs is left for the one that the Sentinels name", { timeout: patience }, async () => {
  const redis = await sentinels();
  const service = uniqueService();
  const options = { commandTimeoutMs: 500 };
  const lease = await connect(redis.url, options).register(registrationOf(service, "a"));
  const watcher = record(connect(redis.url, options), service);
  await watcher.until("a UP");
  process.kill(redis.master.pid as number, "SIGSTOP");
  await redis.failedOver();
  await eventually(async () => {
    const list = await connect(redis.url, options).list(service);
    expect(list).toMatchObject([{ instance: "a", epoch: lease.epoch, state: "UP" }]);
  }, 30_000);
  await connect(redis.url, options).register(registrationOf(service, "b"));
  await watcher.until("a UP", "b UP");
});

test("a failover that is announced while the Sentinels are asked for the master leaves no watch without hints", {
  timeout: patience,
}, async () => {
  const redis = await sentinels();
  const proxy = await startHoldingProxy(redis.ports[0] as number);
  own(async () => proxy.close());
  // Nothing is polled as long as this test lasts.
  const options = { heartbeatMs: 2 * patience, commandTimeoutMs: 20_000 };
  const registry = connect(proxy.url, options);
  await registry.watch(uniqueService(), () => {}).ready;
  const sentinel = new Redis(redis.ports[0] as number);
  own(async () => sentinel.disconnect());
  // Both of its connections are told of failovers.
  await eventually(async () => expect(String(await sentinel.client("LIST")).match(/ sub=1 /g)).toHaveLength(2));

  proxy.hold();
  await redis.master.kill();
  const service = uniqueService();
  const watcher = record(registry, service);
  await redis.failedOver();
  await eventually(async () => {
    const [, subscribers] = (await redis.replica.client.pubsub("NUMSUB", channelOf(service))) as [string, number];
    expect(subscribers).toBe(1);
  }, 30_000);
  await watcher.until();
  await connect(redis.url, options).register(registrationOf(service, "a"));
  await watcher.until("a UP");
});

test("Sentinels that nobody runs are an error that names them, without the password", async () => {
  const registry = connect("redis+sentinel://user:secret@127.0.0.1:1/weft", { registerTimeoutMs: 300 });
  const error = await registry.register(registrationOf(uniqueService(), "a")).catch((thrown: unknown) => thrown);
  expect(isRegistryUnavailable(error) && error.message).toContain("Redis weft of the Sentinels at 127.0.0.1:1");
  expect(String(error)).not.toContain("secret");
});

test("a URL that leads nowhere is refused at once", () => {
  expect(() => createRedisRegistry({ url: "redis+sentinel://127.0.0.1" })).toThrow(/the master's name is missing/);
});

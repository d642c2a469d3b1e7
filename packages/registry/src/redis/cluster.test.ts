import { expect, test } from "vitest";
import { eventually, record, summary, uniqueService } from "../conformance.ts";
import { isRegistryUnavailable } from "../errors.ts";
import { channelOf, keysOf } from "./keys.ts";
import { openInTests, registrationOf } from "./testing/open-in-tests.ts";
import { type ClusterRedis, clusterUrl, startCluster } from "./testing/start-cluster.ts";
import { freePort } from "./testing/start-redis.ts";

const heartbeatMs = 200;
const patience = 60_000;
const { own, connect } = openInTests({ heartbeatMs, commandTimeoutMs: 1_000 });

async function cluster(replicas: 0 | 1): Promise<ClusterRedis> {
  const redis = await startCluster({ replicas });
  own(() => redis.close());
  return redis;
}

test.each([
  ["is killed", "SIGKILL"],
  ["hangs", "SIGSTOP"],
] as const)(
  "a master that %s is followed by its replica, and nobody is taken for gone meanwhile",
  {
    timeout: patience,
  },
  async (_, signal) => {
    const redis = await cluster(1);
    const service = uniqueService();
    const lease = await connect(redis.url).register(registrationOf(service, "a"));
    const registry = connect(redis.url);
    const watcher = record(registry, service);
    await watcher.until("a UP");

    const master = await redis.masterOf(keysOf(service)[0]);
    const replica = redis.replicas[redis.masters.indexOf(master)];
    if (signal === "SIGKILL") await master.kill();
    else process.kill(master.pid as number, signal);
    await eventually(async () => expect(await replica?.client.info("replication")).toContain("role:master"), 30_000);
    // The heartbeats of the same lease reach the new master.
    await eventually(async () => {
      await replica?.client.del(...keysOf(service));
      await new Promise((resolve) => setTimeout(resolve, 2 * heartbeatMs));
      const list = await registry.list(service);
      expect(list).toMatchObject([{ instance: "a", epoch: lease.epoch, state: "UP" }]);
    }, 30_000);
    await connect(redis.url).register(registrationOf(service, "b"));
    await watcher.until("a UP", "b UP");
    expect(watcher.seen).toEqual([["a UP"], ["a UP", "b UP"]]);
  },
);

test("hints are heard through any node, and through another when that one is lost", { timeout: patience }, async () => {
  const redis = await cluster(0);
  const [first, second] = redis.masters;
  const service = uniqueService();
  // Nothing is polled as long as this test lasts.
  const registry = connect(clusterUrl(redis.masters.slice(0, 2)), { heartbeatMs: 2 * patience });
  const watcher = record(registry, service);
  await watcher.watch.ready;
  const subscribersOf = async (node: typeof first) =>
    (((await node?.client.pubsub("NUMSUB", channelOf(service))) ?? []) as unknown[])[1];
  const hearsAt = async () => {
    if ((await subscribersOf(first)) === 1) return first;
    if ((await subscribersOf(second)) === 1) return second;
    throw new Error("nobody listens yet");
  };
  await eventually(async () => void (await hearsAt()));
  const former = await hearsAt();
  await former?.client.call("CLIENT", "KILL", "TYPE", "pubsub");
  const other = former === first ? second : first;
  await eventually(async () => expect(await subscribersOf(other)).toBe(1));
  await connect(redis.url, { heartbeatMs: 2 * patience }).register(registrationOf(service, "a"));
  await watcher.until("a UP");
});

test("services of all slots are registered, listed and watched through one registry", {
  timeout: patience,
}, async () => {
  const redis = await cluster(0);
  const services = Array.from({ length: 12 }, uniqueService);
  const masters = new Set(await Promise.all(services.map((service) => redis.masterOf(keysOf(service)[0]))));
  expect(masters.size).toBeGreaterThan(1);
  const registry = connect(clusterUrl(redis.masters.slice(0, 1)));
  const watchers = services.map((service) => record(registry, service));
  for (const service of services) await registry.register(registrationOf(service, "a"));
  for (const watcher of watchers) await watcher.until("a UP");
  expect(await registry.services()).toEqual(services.toSorted());
  for (const service of services) expect(summary(await registry.list(service))).toEqual(["a UP"]);
});

test("a Cluster of which no node answers is an error in bounded time that names it, without the password", async () => {
  const url = `redis+cluster://user:secret@127.0.0.1:${await freePort()}`;
  const registry = connect(url, { registerTimeoutMs: 300, commandTimeoutMs: 200 });
  for (const question of [registry.list("a.B"), registry.register(registrationOf(uniqueService(), "a"))]) {
    const error = await question.catch((thrown: unknown) => thrown);
    expect(isRegistryUnavailable(error) && error.message).toContain("Redis Cluster at 127.0.0.1");
    expect(String(error)).not.toContain("secret");
  }
});

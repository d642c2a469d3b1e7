import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { eventually, record, summary, uniqueService } from "../conformance.ts";
import type { Instance } from "../registry.ts";
import { createRedisRegistry } from "./redis-registry.ts";
import { openInTests, registrationOf } from "./testing/open-in-tests.ts";
import { recordLog } from "./testing/record-log.ts";

const heartbeatMs = 200;
const { own, connect, redisServer } = openInTests({ heartbeatMs });
let snapshot: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-snapshot-"));
  snapshot = join(folder, "registry.json");
  own(() => rm(folder, { recursive: true, force: true }));
});
test("a process that starts while Redis is away begins with what its former self knew, and goes on when Redis is back", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const members = [connect(redis.url), connect(redis.url)];
  const epochs = [];
  for (const [i, member] of members.entries()) {
    epochs.push((await member.register(registrationOf(service, "ab"[i] as string))).epoch);
  }
  const former = createRedisRegistry({ url: redis.url, heartbeatMs, snapshot });
  await record(former, service).until("a UP", "b UP");
  await former.close();
  await redis.kill();

  const lists: (readonly Instance[])[] = [];
  const registry = connect(redis.url, { snapshot });
  await registry.watch(service, (list) => lists.push(list)).ready;
  expect(lists[0]).toMatchObject([
    { ...registrationOf(service, "a"), epoch: epochs[0], state: "UP" },
    { ...registrationOf(service, "b"), epoch: epochs[1], state: "UP" },
  ]);
  const second = record(registry, service);
  await second.watch.ready;
  expect(second.seen).toEqual([["a UP", "b UP"]]);

  // It comes back empty; nobody is taken for gone before they could beat.
  const successor = await redisServer(redis.port);
  await connect(successor.url).register(registrationOf(service, "c"));
  await second.until("a UP", "b UP", "c UP");
  await members[0]?.close();
  await second.until("b UP", "c UP");
  expect(lists.map(summary)).toEqual([
    ["a UP", "b UP"],
    ["a UP", "b UP", "c UP"],
    ["b UP", "c UP"],
  ]);
});

test("what a process knew isn't forgotten because Redis came back empty just before the process starts", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  // They don't beat again while this lasts.
  const owner = connect(redis.url, { heartbeatMs: 60_000 });
  for (const instance of ["a", "b"]) await owner.register(registrationOf(service, instance));
  const former = createRedisRegistry({ url: redis.url, heartbeatMs, snapshot });
  await record(former, service).until("a UP", "b UP");
  await former.close();
  await redis.client.flushall();

  const { logger, warnings } = recordLog();
  const watcher = record(connect(redis.url, { snapshot, logger }), service);
  await watcher.watch.ready;
  expect(watcher.seen).toEqual([["a UP", "b UP"]]);
  expect(warnings.join()).toContain("may have lost");
  // Nobody came back within the time in which they could, and nobody says that they answer.
  await watcher.until();
  expect(watcher.seen.at(-1)).toEqual([]);
});

test("a snapshot is not asked while Redis answers", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const lease = await connect(redis.url).register(registrationOf(service, "a"));
  const former = createRedisRegistry({ url: redis.url, heartbeatMs, snapshot });
  await record(former, service).until("a UP");
  await former.close();
  await lease.release();
  const watcher = record(connect(redis.url, { snapshot }), service);
  await watcher.watch.ready;
  expect(watcher.seen).toEqual([[]]);
});

test("a snapshot that Redis upheld until lately is of use however long nothing changed, an old one is not", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  const owner = connect(redis.url);
  await owner.register(registrationOf(service, "a"));
  let now = Date.now();
  const options = { heartbeatMs, commandTimeoutMs: 100, snapshot, wallClock: { now: () => now } };
  const former = createRedisRegistry({ url: redis.url, ...options });
  await record(former, service).until("a UP");
  now += 25 * 3_600_000;
  await eventually(async () => expect(await readFile(snapshot, "utf8")).toContain(`${now}`));
  await former.close();
  await redis.kill();
  await owner.close();

  const late = record(connect(redis.url, options), service);
  await late.watch.ready;
  expect(late.seen).toEqual([["a UP"]]);
  now += 25 * 3_600_000;
  const tooLate = record(connect(redis.url, options), service);
  const successor = await redisServer(redis.port);
  await connect(successor.url).register(registrationOf(service, "b"));
  await tooLate.until("b UP");
  expect(tooLate.seen.flat()).not.toContain("a UP");
});

test("without a snapshot a watch waits for Redis", async () => {
  const redis = await redisServer();
  await redis.kill();
  const watcher = record(connect(redis.url, { commandTimeoutMs: 100, snapshot }), uniqueService());
  const started = await redisServer(redis.port);
  await watcher.until();
  expect(started.port).toBe(redis.port);
});

test("a watch that says which instances answer keeps those, though they left no word", async () => {
  const redis = await redisServer();
  const service = uniqueService();
  // Their leases outlast the test; Redis is made to forget them.
  const owner = connect(redis.url, { heartbeatMs: 60_000 });
  for (const [i, instance] of ["a", "b", "c"].entries())
    await owner.register({ ...registrationOf(service, instance), port: 9000 + i });
  const answering = new Set(["c"]);
  const seen: string[][] = [];
  const registry = connect(redis.url);
  registry.watch(service, (list) => seen.push(summary(list)), {
    stillAnswers: ({ instance }) => answering.has(instance),
  });
  await eventually(() => expect(seen).toEqual([["a UP", "b UP", "c UP"]]));
  await redis.client.zadd(`weft:{${service}}:leases`, 1, "c");
  await redis.client.zadd(`weft:{${service}}:leases`, 1, "b");
  await eventually(() => expect(seen.at(-1)).toEqual(["a UP", "c UP"]));
  answering.clear();
  await eventually(() => expect(seen.at(-1)).toEqual(["a UP"]));
});

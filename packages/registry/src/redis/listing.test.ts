import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Snapshot } from "./listing.ts";
import { createScriptedService, names } from "./testing/scripted-service.ts";
import { type PrivateRedis, startRedis } from "./testing/start-redis.ts";

let server: PrivateRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = server.client;
});
afterAll(() => server.kill());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing) close();
  closing.length = 0;
});

const setUp = () => createScriptedService(redis);

test("a reader is told everything first, then what changed, and nothing where nothing did", async () => {
  const { beat, release, listing, read, kinds } = setUp();
  const one = listing();
  expect(names(await read(one))).toEqual([]);
  const [, epoch] = await beat("b");
  await beat("c");
  expect(names(await read(one))).toEqual(["b UP", "c UP"]);
  await beat("a");
  await beat("c", { state: "DRAINING" });
  expect(names(await read(one))).toEqual(["a UP", "b UP", "c DRAINING"]);
  expect(await read(one)).toBeUndefined();
  await release("b", epoch as string);
  const last = await read(one);
  expect(names(last)).toEqual(["a UP", "c DRAINING"]);
  expect(last?.released).toEqual(new Set(["b"]));
  expect(kinds).toEqual(["all", "all", "changes", "nothing", "changes"]);
});

test("who hears each hint need not read, and a hint that was lost is read for", async () => {
  const { beat, release, listing, read, kinds, keys, hints } = setUp();
  const heard = await hints();
  closing.push(heard.close);
  const one = listing();
  const [, epoch] = await beat("a");
  expect(one.hear(await heard.next())).toBe("read");
  expect(names(await read(one))).toEqual(["a UP"]);
  const hear = async () => {
    const answer = one.hear(await heard.next());
    return typeof answer === "string" ? answer : { names: names(answer), released: [...answer.released] };
  };
  await beat("b");
  expect(await hear()).toEqual({ names: ["a UP", "b UP"], released: [] });
  await beat("b", { state: "DRAINING" });
  expect(await hear()).toEqual({ names: ["a UP", "b DRAINING"], released: [] });
  await release("a", epoch as string);
  expect(await hear()).toEqual({ names: ["b DRAINING"], released: ["a"] });
  // It expires, and the next beat sweeps it.
  await redis.zadd(keys[0], 1, "b");
  await beat("c");
  expect(await hear()).toEqual({ names: ["c UP"], released: [] });
  expect(await read(one)).toBeUndefined();
  await beat("d");
  await heard.next();
  await beat("e");
  expect(await hear()).toBe("read");
  expect(names(await read(one))).toEqual(["c UP", "d UP", "e UP"]);
  await beat("f");
  expect(names(await read(one))).toHaveLength(4);
  expect(await hear()).toBe("known");
  expect(kinds).toEqual(["all", "nothing", "changes", "changes"]);
});

test("a hint of many changes names none of them", async () => {
  const { beat, listing, read, keys, hints } = setUp();
  for (let i = 0; i < 9; i++) await beat(`i${i}`);
  const one = listing();
  await read(one);
  const heard = await hints();
  closing.push(heard.close);
  for (let i = 0; i < 9; i++) await redis.zadd(keys[0], 1, `i${i}`);
  await beat("z");
  const hint = await heard.next();
  expect(hint).toBe(await redis.get(keys[2]));
  expect(one.hear(hint)).toBe("read");
  expect(names(await read(one))).toEqual(["z UP"]);
});

test("who comes back in time is not late any more, by its hint", async () => {
  const { beat, listing, read, hints } = setUp();
  const one = listing();
  await beat("a");
  await beat("b");
  expect(names(await read(one, 120_000))).toEqual(["a DOWN", "b DOWN"]);
  const heard = await hints();
  closing.push(heard.close);
  await beat("b", { state: "DRAINING" });
  expect(names(one.hear(await heard.next()) as Snapshot)).toEqual(["a DOWN", "b DRAINING"]);
});

test("an entry has everything that the instance said", async () => {
  const { beat, listing, read } = setUp();
  const [, epoch] = await beat("a");
  expect((await read(listing()))?.instances).toMatchObject([
    {
      ...{
        instance: "a",
        host: "10.0.0.7",
        port: 9000,
        metadata: { zone: "eu-1a" },
        epoch: Number(epoch),
        state: "UP",
      },
      load: { eventLoopDelayMs: 1.5, inFlight: 2 },
    },
  ]);
});

test("an expiry is told as a loss, not as a release, and lateness before it moves no version", async () => {
  const { beat, listing, read, keys } = setUp();
  const one = listing();
  await beat("a");
  await beat("b");
  const before = await read(one);
  const leases = keys[0];
  const soon = Number((await redis.time())[0]) * 1_000 + 30_000;
  await redis.zadd(leases, soon, "b");
  const late = await read(one, 60_000);
  expect(late).toMatchObject({ version: before?.version, late: new Set(["a", "b"]) });
  await redis.zadd(leases, 1, "b");
  expect(names(await read(one))).toEqual(["a UP"]);
  await beat("a");
  const swept = await read(one);
  expect(names(swept)).toEqual(["a UP"]);
  expect(swept?.released).toEqual(new Set());
});

test("who expired and beats again before anybody swept it is back", async () => {
  const { beat, listing, read, keys } = setUp();
  const one = listing();
  const [, epoch = ""] = await beat("a");
  await read(one);
  await redis.zadd(keys[0], 1, "a");
  expect(names(await read(one))).toEqual([]);
  await beat("a", { epoch });
  expect(names(await read(one))).toEqual(["a UP"]);
});

test("a reader that knows less than the log tells is told everything, and who withdrew of those in the log", async () => {
  const { beat, release, listing, read, kinds, keys } = setUp();
  const one = listing();
  const [, epoch] = await beat("a");
  await beat("b");
  await read(one);
  const born = (await redis.get(keys[2]))?.split(".")[0];
  await release("a", epoch as string);
  // As if a thousand others had changed since, the release of "a" last.
  await redis.multi().zrem(keys[3], "!", "+b").zadd(keys[3], 1_000, "-a").set(keys[2], `${born}.1000`).exec();
  const after = await read(one);
  expect(names(after)).toEqual(["b UP"]);
  expect(after?.released).toEqual(new Set(["a"]));
  expect(kinds).toEqual(["all", "all"]);
});

test("a log that was forgotten begins anew, and tells no older reader that it were whole", async () => {
  const { beat, listing, read, kinds, keys } = setUp();
  const one = listing();
  await beat("a");
  await read(one);
  await beat("b");
  await redis.del(keys[3]);
  await beat("c");
  expect(names(await read(one))).toEqual(["a UP", "b UP", "c UP"]);
  await beat("d");
  expect(names(await read(one))).toEqual(["a UP", "b UP", "c UP", "d UP"]);
  expect(kinds).toEqual(["all", "all", "changes"]);
});

test("a Redis that lost the service is told from one in which little changed", async () => {
  const { beat, listing, read, kinds, keys } = setUp();
  const one = listing();
  for (const name of ["a", "b", "c"]) await beat(name);
  await read(one);
  await redis.del(...keys);
  await beat("d");
  expect(names(await read(one))).toEqual(["d UP"]);
  expect(kinds).toEqual(["all", "all"]);
});

test("a version that was forgotten begins anew, and no release from before is told again", async () => {
  const { beat, release, listing, read, keys } = setUp();
  const one = listing();
  for (const name of ["a", "b", "c"]) await beat(name);
  const [, epoch] = await beat("d");
  await release("d", epoch as string);
  await redis.del(keys[2]);
  await beat("e");
  await read(one);
  await beat("f");
  const after = await read(one);
  expect(names(after)).toEqual(["a UP", "b UP", "c UP", "e UP", "f UP"]);
  expect(after?.released).toEqual(new Set());
});

test("the log names a thousand instances, whatever comes and goes", { timeout: 60_000 }, async () => {
  const { beat, release, listing, read, kinds, keys } = setUp();
  const epochs = await Promise.all(Array.from({ length: 1_500 }, (_, i) => beat(`i${i}`)));
  const one = listing();
  expect((await read(one))?.instances).toHaveLength(1_500);
  await Promise.all(epochs.slice(0, 600).map(([, epoch], i) => release(`i${i}`, epoch as string)));
  expect(await redis.zcard(keys[3])).toBe(1_000);
  const after = await read(one);
  expect(after?.instances).toHaveLength(900);
  expect(after?.released.size).toBe(600);
  expect(kinds).toEqual(["all", "changes"]);
});

test("entries that no registry of ours wrote are passed over", async () => {
  const { beat, listing, read, keys } = setUp();
  await beat("a");
  const late = Date.now() + 60_000;
  const records = [
    ...["", "0 0", "0 0 1 UP", "0 0 1 UP h", "0 0 1 UP h 1", "0 0 1 UP h 1 ", "0 0 1 UP h 1 {", "0 0 1 UP h 1 7"],
    ...["0 0 x UP h 1 {}", "0 0 1 GONE h 1 {}", "0 0 1 UP  1 {}", "0 0 1 UP h x {}", "0 0 1 UP h\n0 0 2 UP h 1 {}"],
  ];
  for (const [i, record] of records.entries()) {
    await redis.multi().zadd(keys[0], late, `alien${i}`).hset(keys[1], `alien${i}`, `alien${i} ${record}`).exec();
  }
  expect(names(await read(listing()))).toEqual(["a UP"]);
});

test("what has no lease is not listed", async () => {
  const { beat, listing, read, keys } = setUp();
  for (const name of ["a", "b", "c"]) await beat(name);
  await redis.zrem(keys[0], "b");
  expect(names(await read(listing()))).toEqual(["a UP", "c UP"]);
  await redis.del(keys[0]);
  expect(names(await read(listing()))).toEqual([]);
});

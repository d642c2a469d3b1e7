import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createScriptedService } from "./testing/scripted-service.ts";
import { type PrivateRedis, startRedis } from "./testing/start-redis.ts";

let server: PrivateRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = server.client;
});
afterAll(() => server.kill());

const setUp = (mostInstances?: number) => createScriptedService(redis, mostInstances);

test("a service takes as many instances as it may have, and renews those that it has", async () => {
  const { beat, release, keys } = setUp(3);
  const [a, , c] = [await beat("a"), await beat("b"), await beat("c")];
  expect(await beat("d")).toEqual(["full"]);
  expect((await beat("a", { epoch: a[1] as string }))[0]).toBe("held");
  expect((await beat("b"))[0]).toBe("held");
  await release("c", c[1] as string);
  expect((await beat("d"))[0]).toBe("held");
  // What has expired takes nobody's place.
  await redis.zadd(keys[0], 1, "a");
  expect((await beat("e"))[0]).toBe("held");
  expect(await redis.zcard(keys[0])).toBe(3);
});

test("what Redis has of a service goes by itself when nobody beats any more, and stays for as long as somebody does", async () => {
  const { beat, release, keys } = setUp();
  const hourMs = 3_600_000;
  const leftMs = () => Promise.all(keys.map((key) => redis.pttl(key)));
  const [, epoch = ""] = await beat("a");
  for (const left of await leftMs()) expect(left).toBeGreaterThan(0.99 * hourMs);
  for (const key of keys) await redis.pexpire(key, 0.4 * hourMs);
  await beat("a", { epoch });
  for (const left of (await leftMs()).slice(0, 3)) expect(left).toBeGreaterThan(0.99 * hourMs);
  await beat("b");
  await release("a", epoch);
  for (const left of await leftMs()) expect(left).toBeGreaterThan(0);
  // Who comes back after days sees that nothing was lost.
  expect(await redis.pttl(keys[2])).toBeGreaterThan(29 * 24 * hourMs);
});

test("of 100,000 registrations of one service 10,000 are taken, and Redis and a reader stay small", {
  timeout: 120_000,
}, async () => {
  const { beat, listing, read, keys } = setUp();
  const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  const before = await usedBytes();
  const verdicts = new Map<string, number>();
  for (let from = 0; from < 100_000; from += 1_000) {
    const replies = await Promise.all(Array.from({ length: 1_000 }, (_, i) => beat(`i${from + i}`)));
    for (const [verdict] of replies) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  expect(Object.fromEntries(verdicts)).toEqual({ held: 10_000, full: 90_000 });
  expect(await redis.hlen(keys[1])).toBe(10_000);
  expect((await usedBytes()) - before).toBeLessThan(16 * 1024 * 1024);
  expect((await read(listing()))?.instances).toHaveLength(10_000);
});

test("a reader keeps no more instances than a service may have, whatever Redis holds", async () => {
  const { beat, listing, read } = setUp(2);
  for (const name of ["a", "b", "c"]) await beat(name, { most: 100 });
  const one = listing();
  expect((await read(one))?.instances).toHaveLength(2);
  await beat("d", { most: 100 });
  expect((await read(one))?.instances).toHaveLength(2);
});

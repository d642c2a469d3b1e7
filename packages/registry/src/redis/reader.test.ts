import { afterEach, expect, test } from "vitest";
import { eventually, record, uniqueService } from "../conformance.ts";
import type { Registry } from "../registry.ts";
import { createRedisRegistry } from "./redis-registry.ts";

const url = process.env.REDIS_URL ?? "";
if (url === "") throw new Error("REDIS_URL is not set; `npm test` starts a Redis and sets it");
const opened: Registry[] = [];

afterEach(async () => {
  for (const registry of opened) await registry.close();
  opened.length = 0;
});

function connect(): Registry {
  // So long that only a hint can tell in time.
  const registry = createRedisRegistry({ url, heartbeatMs: 60_000 });
  opened.push(registry);
  return registry;
}

test("watchers see a change at once, and don't wait for the next heartbeat", async () => {
  const service = uniqueService();
  const watcher = record(connect(), service);
  await watcher.watch.ready;
  const lease = await connect().register({ service, instance: "a", host: "127.0.0.1", port: 9000, metadata: {} });
  await watcher.until("a UP");
  await lease.release();
  await watcher.until();
});

test("a watcher that throws keeps no other from its list", async () => {
  const service = uniqueService();
  const registry = connect();
  const failing = registry.watch(service, () => {
    throw new Error("a fault of the watcher");
  });
  const watcher = record(registry, service);
  await failing.ready;
  await connect().register({ service, instance: "a", host: "127.0.0.1", port: 9000, metadata: {} });
  await eventually(() => expect(watcher.seen.at(-1)).toEqual(["a UP"]));
});

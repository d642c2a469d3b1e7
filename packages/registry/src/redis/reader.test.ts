import { expect, test } from "vitest";
import { eventually, record, uniqueService } from "../conformance.ts";
import { openInTests, registrationOf, sharedRedisUrl } from "./testing/open-in-tests.ts";

// So long that only a hint can tell in time.
const opened = openInTests({ heartbeatMs: 60_000 });
const connect = () => opened.connect(sharedRedisUrl());

test("watchers see a change at once, and don't wait for the next heartbeat", async () => {
  const service = uniqueService();
  const watcher = record(connect(), service);
  await watcher.watch.ready;
  const lease = await connect().register(registrationOf(service));
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
  await connect().register(registrationOf(service));
  await eventually(() => expect(watcher.seen.at(-1)).toEqual(["a UP"]));
});

import { once } from "node:events";
import { expect, test } from "vitest";
import { eventually } from "../conformance.ts";
import { openConnection } from "./connection.ts";
import { openInTests } from "./testing/open-in-tests.ts";
import { startHoldingProxy } from "./testing/start-holding-proxy.ts";
import { startSentinels } from "./testing/start-sentinels.ts";

const patience = 60_000;
const { own } = openInTests({});

test("a failover that is announced while the Sentinels are asked for the master doesn't end the connection", {
  timeout: patience,
}, async () => {
  const redis = await startSentinels();
  own(() => redis.close());
  const proxy = await startHoldingProxy(redis.ports[0] as number);
  own(() => proxy.close());
  const connection = openConnection({
    url: proxy.url,
    name: "test",
    commandTimeoutMs: 20_000,
    maxRetryDelayMs: 100,
    waits: true,
  });
  own(() => connection.disconnect());
  connection.on("error", () => {});
  let ends = 0;
  connection.on("end", () => {
    ends += 1;
  });
  await once(connection, "failoverSubscribed");
  await connection.set("key", "value");
  await redis.master.client.wait(1, 0);

  proxy.hold();
  await redis.master.kill();
  await redis.failedOver();
  await eventually(async () => expect(await connection.get("key")).toBe("value"), 20_000);
  expect(ends).toBeGreaterThan(0);
  expect(await connection.client("INFO")).toContain("name=test");
});

test("a connection that was closed while it was being made stays closed", async () => {
  const redis = await startSentinels();
  own(() => redis.close());
  const connection = openConnection({
    url: redis.url,
    name: "test",
    commandTimeoutMs: 1_000,
    maxRetryDelayMs: 100,
    waits: true,
  });
  connection.on("error", () => {});
  const ended = once(connection, "end");
  connection.disconnect();
  await ended;
  await expect(connection.ping()).rejects.toThrow("Connection is closed.");
});

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../conformance.ts";
import { openConnection } from "./connection.ts";
import { startSentinels } from "./testing/start-sentinels.ts";

const patience = 60_000;
const resources: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of resources.reverse()) await close();
  resources.length = 0;
});

/** In front of a Sentinel: once told to, it holds the answers to newcomers back until a failover has been announced through it. */
async function startHoldingProxy(target: URL) {
  const announced = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  let holds = false;
  let held = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    const late = holds;
    if (late) held += 1;
    client.pipe(upstream);
    upstream.on("data", async (data) => {
      // And a little longer, so that the announcement is read first.
      if (late) await announced.promise.then(() => sleep(100));
      client.write(data);
      if (!late && holds && data.includes("+switch-master")) announced.resolve();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  resources.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      holds = true;
    },
    held: () => held,
  };
}

test("a failover that is announced while the Sentinels are asked for the master doesn't end the connection", {
  timeout: patience,
}, async () => {
  const redis = await startSentinels();
  resources.push(() => redis.close());
  const [, sentinel = ""] = /^redis\+sentinel:\/\/([^,/]+)/.exec(redis.url) ?? [];
  const proxy = await startHoldingProxy(new URL(`redis://${sentinel}`));
  const connection = openConnection({
    url: `redis+sentinel://127.0.0.1:${proxy.port}/weft`,
    name: "test",
    commandTimeoutMs: 20_000,
    maxRetryDelayMs: 100,
    waits: true,
  });
  resources.push(() => connection.disconnect());
  connection.on("error", () => {});
  await once(connection, "failoverSubscribed");
  await connection.set("key", "value");
  await redis.master.client.wait(1, 0);

  proxy.hold();
  await redis.master.kill();
  await redis.failedOver();
  await eventually(async () => expect(await connection.get("key")).toBe("value"), 20_000);
  expect(proxy.held()).toBeGreaterThan(0);
  expect(await connection.client("INFO")).toContain("name=test");
});

test("a connection that was closed while it was being made stays closed", async () => {
  const redis = await startSentinels();
  resources.push(() => redis.close());
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

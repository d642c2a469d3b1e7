import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { given } from "./given.ts";

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

describe("what the environment names", () => {
  it.each([
    ["REDIS_URL", (live: number) => `redis://:secret@127.0.0.1:${live}/2`],
    ["NATS_URL", (live: number) => `nats://127.0.0.1:1,nats://127.0.0.1:${live}`],
    ["REDIS_URL", (live: number) => `redis+sentinel://user:secret@127.0.0.1:1,127.0.0.1:${live}/weft?db=0`],
    ["REDIS_URL", (live: number) => `redis+cluster://user:secret@127.0.0.1:1,127.0.0.1:${live}`],
    ["DATABASE_URL", (live: number) => `postgres://admin:secret@127.0.0.1:${live}/postgres`],
  ])("is taken as it is when one of its servers answers: %s", async (variable, url) => {
    expect(await given("part", variable, url(port))).toMatchObject({ source: "environment", url: url(port) });
  });

  it("is an error when none of its servers answers", async () => {
    await expect(given("redis", "REDIS_URL", "redis+sentinel://:secret@127.0.0.1:1,127.0.0.1:2/weft")).rejects.toThrow(
      "REDIS_URL names redis+sentinel://…@127.0.0.1:1,127.0.0.1:2/weft, but nothing answers there. Start it, or unset REDIS_URL.",
    );
  });

  it.each([
    "nats://s3cr3t@127.0.0.1:1",
    "nats://127.0.0.1:1,nats://s3cr3t@127.0.0.1:2",
    "postgres://user:x:s3cr3t@127.0.0.1:1/shop",
    "redis+sentinel://127.0.0.1:1/weft?sentinelUsername=s&sentinelPassword=s3cr3t",
  ])("is told without its secret: %s", async (url) => {
    const refused = given("part", "URL", url);
    await expect(refused).rejects.toThrow("nothing answers there");
    await expect(refused).rejects.not.toThrow("s3cr3t");
  });

  it("is neither started nor stopped", async () => {
    const part = await given("redis", "REDIS_URL", `redis://127.0.0.1:${port}`);
    await expect(part.kill()).rejects.toThrow("redis was given by REDIS_URL; it is not this stack's to start or stop.");
    await part.stop();
    expect(server.listening).toBe(true);
  });
});

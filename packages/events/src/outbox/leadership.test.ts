import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { openStore } from "@weft/store";
import { silentLogger } from "@weft/telemetry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { startLeadership } from "./leadership.ts";

/** A way to the database that can fall silent, as a network does that drops every packet. */
async function startProxy(target: URL) {
  const sockets = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = new URL(target);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    silence() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

describe("leadership", () => {
  it("ends, and closes, when the database no longer answers over a connection that stays open", async () => {
    const proxy = await startProxy(new URL(database.url));
    const store = openStore({ url: proxy.url, application: "leadership-test" });
    let terms = 0;
    const leadership = startLeadership({
      store,
      lock: [1, 2],
      intervalMs: 10,
      answerMs: 100,
      logger: silentLogger,
      async lead(signal) {
        terms += 1;
        if (!signal.aborted) await once(signal, "abort");
      },
    });
    await expect.poll(() => terms).toBe(1);
    proxy.silence();
    await expect.poll(() => leadership.leads(), { timeout: 5_000 }).toBe(false);
    await leadership.close();
    proxy.close();
    await store.close();
  });
});

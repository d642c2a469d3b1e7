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

  it("is taken over from a holder that hangs while its connection stands, and left to one that is alive", async () => {
    const store = openStore({ url: database.url, application: "leadership-test" });
    const hanging = await store.connect("a process that was stopped");
    const lost = new Promise<void>((resolve) => hanging.once("end", () => resolve()));
    await hanging.query("select pg_advisory_lock(1, 2)");
    const stand = () =>
      startLeadership({
        store,
        lock: [1, 2],
        intervalMs: 20,
        hangsAfterMs: 500,
        logger: silentLogger,
        async lead(signal) {
          if (!signal.aborted) await once(signal, "abort");
        },
      });
    const [first, second] = [stand(), stand()];
    await lost;
    await expect.poll(() => first.leads() || second.leads()).toBe(true);
    const leader = first.leads() ? first : second;
    // For longer than one that hangs would keep the office.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([first.leads(), second.leads()].filter(Boolean)).toEqual([true]);
    expect(leader.leads()).toBe(true);
    await Promise.all([first.close(), second.close()]);
    await store.close();
  });
});

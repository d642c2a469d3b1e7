import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isUnavailable } from "./errors.ts";
import { openStore, type Store } from "./store.ts";
import { type OwnServer, startOwnServer } from "./testing/own-server.ts";

let server: OwnServer;
let store: Store<unknown>;
beforeAll(async () => {
  server = await startOwnServer();
  store = openStore({ url: server.url, application: "outage-test" });
  await sql`create table kept (id int primary key)`.execute(store.db);
});
afterAll(async () => {
  await store?.close();
  await server?.close();
});

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  statement: () => sql`select ${1}::int`.execute(store.db),
  transaction: () => store.transaction((tx) => sql`select ${1}::int`.execute(tx)),
  "statement of a driver": () => store.pool.query("select 1"),
};

/** As many connections as the pool has, each idle and with a statement prepared. */
async function fillPool(): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => sql`select pg_sleep(${0.05})`.execute(store.db)));
  expect(store.pool.totalCount).toBe(10);
}

/** Rejects with the error of what was expected to fail. */
const errorOf = (failing: Promise<unknown>) =>
  failing.then(
    () => expect.unreachable("it must fail"),
    (error: unknown) => error,
  );

describe.for(["kill", "stop"] as const)("a database that is away after a %s", (way) => {
  it("is unavailable to what was under way and, at once, to what comes", async () => {
    await fillPool();
    const underWay = [
      errorOf(sql`select pg_sleep(${60})`.execute(store.db)),
      errorOf(store.transaction((tx) => sql`select pg_sleep(${60})`.execute(tx))),
    ];
    await server[way]();
    for (const error of await Promise.all(underWay)) expect(isUnavailable(error)).toBe(true);
    // A killed server's processes notice one after the other that it is gone, and until then they answer.
    await vi.waitUntil(() => store.pool.totalCount === 0);
    for (const call of Object.values(calls)) {
      const startedAt = performance.now();
      expect(isUnavailable(await errorOf(call()))).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
  });

  it("is unavailable, and nothing else, until it is back, and fails nobody from then on", async () => {
    const started = server.start();
    const errors: unknown[] = [];
    const asked = vi.waitUntil(
      () =>
        store
          .ping()
          .then(() => true)
          .catch((error) => void errors.push(error)),
      {
        timeout: 15_000,
        interval: 5,
      },
    );
    await started;
    const backAt = performance.now();
    await asked;
    expect(performance.now() - backAt).toBeLessThan(2_000);
    expect(errors.filter((error) => !isUnavailable(error))).toEqual([]);
    for (let round = 0; round < 5; round++) {
      await Promise.all(Object.values(calls).flatMap((call) => Array.from({ length: 8 }, call)));
    }
  });
});

describe("a database that was restarted between two calls", () => {
  it.for(["kill", "stop"] as const)("is never unavailable to the second one, after a %s", async (way) => {
    await fillPool();
    await server[way]();
    await server.start();
    await Promise.all(Object.values(calls).flatMap((call) => Array.from({ length: 10 }, call)));
  });

  it("tells its listeners again, once more for what they may have missed", async () => {
    const told = vi.fn();
    const listening = await store.listen("news", told);
    told.mockClear();
    await server.kill();
    await server.start();
    await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 10_000 });
    told.mockClear();
    await sql`notify news`.execute(store.db);
    await vi.waitFor(() => expect(told).toHaveBeenCalledOnce());
    await listening.close();
  });

  it("has each write that was acknowledged", async () => {
    const acknowledged: number[] = [];
    let next = 0;
    let done = false;
    const writer = async (): Promise<void> => {
      while (!done) {
        const id = next++;
        await store
          .transaction((tx) => sql`insert into kept values (${id})`.execute(tx))
          .then(() => acknowledged.push(id))
          .catch((error) => expect(isUnavailable(error)).toBe(true));
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    await vi.waitUntil(() => acknowledged.length > 200);
    await server.kill();
    await server.start();
    const before = acknowledged.length;
    await vi.waitUntil(() => acknowledged.length > before + 200, { timeout: 10_000 });
    done = true;
    await Promise.all(writers);
    const { rows } = await sql<{ id: number }>`select id from kept`.execute(store.db);
    const kept = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });
});

import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { migrate } from "./migrate.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { appliedBy, startMigrating } from "./testing/migrating-process.ts";

let database: TestDatabase;
let store: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "migrate-test" });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

describe("migrations by several processes", () => {
  const steps = Array.from({ length: 20 }, (_, n) => ({
    id: `00${n + 10}_step`,
    sql: n === 0 ? "create table steps (n int)" : `insert into steps values (${n})`,
  }));

  it("are applied once each, in their order, when four start at the same time", async () => {
    const counts = await Promise.all(Array.from({ length: 4 }, () => appliedBy(startMigrating(database.url, steps))));
    expect(counts.reduce((sum, count) => sum + count)).toBe(20);
    const { rows } = await store.pool.query("select n from steps");
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 19 }, (_, n) => n + 1));
  });

  it("leave neither lock nor half a migration when one is killed in the middle of a statement", async () => {
    const sql = "create table half (id int); select pg_sleep(600)";
    const child = startMigrating(database.url, [...steps, { id: "0100_long", sql }]);
    await vi.waitFor(async () => expect(await sleepers()).toBe(1), { timeout: 10_000, interval: 50 });
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    // Before the lock is free, the next one waits; without a look at its client, the server would sleep on.
    const next = { id: "0100_long", sql: "create table half (id int)" };
    expect(await migrate(store, [...steps, next])).toEqual({ applied: ["0100_long"] });
    expect(await sleepers()).toBe(0);
  });

  async function sleepers(): Promise<number> {
    const { rows } = await store.pool.query(
      "select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
    );
    return rows.length;
  }
});

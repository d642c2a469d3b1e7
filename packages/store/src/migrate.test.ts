import { silentLogger } from "@weft/telemetry";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { migrate } from "./migrate.ts";
import { migrationStatus, requireMigrated } from "./migration-status.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

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

const own = { id: "0001_a", sql: "create table a (id int)" };
const packaged = { id: "weft.test/0001_b", sql: "create table b (id int)" };

describe("migrate", () => {
  it("applies each migration once when two instances start at the same time", async () => {
    const results = await Promise.all([migrate(store, [packaged, own]), migrate(store, [packaged, own])]);
    expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 2]);
    expect(await migrationStatus(store, [packaged, own])).toEqual([
      { id: packaged.id, appliedAt: expect.any(Date), known: true },
      { id: own.id, appliedAt: expect.any(Date), known: true },
    ]);
  });

  it("says which migration was changed after it was applied, and lets indentation change", async () => {
    await expect(migrate(store, [{ ...own, sql: "create table a (id bigint)" }])).rejects.toThrow(
      "migration 0001_a was changed after it was applied",
    );
    expect(await migrate(store, [{ ...own, sql: `\n   ${own.sql}\n` }])).toEqual({ applied: [] });
  });

  it("leaves nothing of a migration that fails, and applies it when it is mended", async () => {
    const broken = { id: "0002_c", sql: "create table c (id int); select 1 / 0" };
    await expect(migrate(store, [own, broken])).rejects.toThrow("migration 0002_c failed: division by zero");
    expect(await migrate(store, [own, { ...broken, sql: "create table c (id int)" }])).toEqual({ applied: ["0002_c"] });
  });

  it("refuses a migration that would go before an applied one", async () => {
    await expect(migrate(store, [own, { id: "0001_b", sql: "select 1" }])).rejects.toThrow("give it a later number");
  });

  it("does not mind what a newer instance applied", async () => {
    expect(await migrate(store, [own])).toEqual({ applied: [] });
  });

  it("keeps the sets of packages apart", async () => {
    expect(await migrate(store, [{ id: "weft.other/0001_d", sql: "create table d (id int)" }, own])).toEqual({
      applied: ["weft.other/0001_d"],
    });
  });

  it("says that it waits for another instance, and goes on when that is done or gone", async () => {
    const other = await store.connect("other instance");
    await other.query("select pg_advisory_lock($1, $2)", [0x77656674, 0x6d6967]);
    const waits = Promise.withResolvers<string>();
    const logger = { ...silentLogger, info: (_fields: object, message: string) => waits.resolve(message) };
    const migrated = migrate(store, [own], { logger });
    expect(await waits.promise).toBe("another instance migrates the database: waiting for it");
    await other.end();
    expect(await migrated).toEqual({ applied: [] });
  });

  it("gives way to others who want a table that is in use, and comes again", async () => {
    const reader = await store.connect("reader");
    await reader.query("begin; select from a");
    const migrated = migrate(store, [own, { id: "0003_column", sql: "alter table a add column more int" }], {
      lockTimeoutMs: 50,
      lockAttempts: 1_000,
    });
    await untilWaiting("alter table a");
    // Whoever comes after the waiting migration is served all the same.
    await reader.query("commit; begin; select from a");
    await store.pool.query("select from a");
    await reader.end();
    expect(await migrated).toEqual({ applied: ["0003_column"] });
  });

  it("says that others hold a lock when it waited often enough", async () => {
    const reader = await store.connect("reader");
    await reader.query("begin; select from a");
    const options = { lockTimeoutMs: 20, lockAttempts: 2 };
    await expect(migrate(store, [own, { id: "0004_late", sql: "drop table a" }], options)).rejects.toThrow(
      "migration 0004_late failed: waited 2 times 20 ms for a lock that others hold",
    );
    await reader.end();
  });

  /** Waits until a statement that begins so waits for a lock. */
  async function untilWaiting(statement: string): Promise<void> {
    await vi.waitFor(async () => {
      const { rows } = await store.pool.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and starts_with(query, $1)",
        [statement],
      );
      expect(rows).toHaveLength(1);
    });
  }
});

describe("the status of migrations", () => {
  it("is everything pending of a database that was never migrated, and changes nothing", async () => {
    const empty = await createTestDatabase();
    const untouched = openStore({ url: empty.url, application: "migrate-test" });
    try {
      for (let look = 0; look < 2; look++) {
        expect(await migrationStatus(untouched, [packaged, own])).toEqual([
          { id: packaged.id, appliedAt: undefined, known: true },
          { id: own.id, appliedAt: undefined, known: true },
        ]);
      }
      await expect(requireMigrated(untouched, [packaged, own])).rejects.toThrow(
        "the database is behind, migrate it first. Pending: weft.test/0001_b, 0001_a",
      );
      const { rows } = await untouched.pool.query("select to_regnamespace('weft') as schema");
      expect(rows).toEqual([{ schema: null }]);
    } finally {
      await untouched.close();
      await empty.drop();
    }
  });

  it("ends with what a newer version applied, which is no reason not to start", async () => {
    const states = await migrationStatus(store, [own]);
    expect(states[0]).toMatchObject({ id: own.id, known: true });
    expect(states.slice(1).map(({ known }) => known)).not.toContain(true);
    expect(states.map(({ id }) => id)).toContain(packaged.id);
    await requireMigrated(store, [own]);
  });

  it("is refused for a migration that was changed", async () => {
    await expect(requireMigrated(store, [{ ...own, sql: "create table a ()" }])).rejects.toThrow(
      "put it back as it was and add a new one",
    );
  });
});

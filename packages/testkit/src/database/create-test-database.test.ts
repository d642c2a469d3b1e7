import { afterEach, describe, expect, it, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "./create-test-database.ts";

let database: TestDatabase<unknown> | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await database?.drop();
  database = undefined;
});

const notes = { id: "0001_notes", sql: `CREATE TABLE notes (id integer); CREATE TABLE "Odd Name" (id integer)` };

describe("a test's database", () => {
  it("has the tables of outbox, inbox and keyed commands besides its own", async () => {
    database = await createTestDatabase("testkit", [notes]);
    const tables = ["public.notes", "weft.outbox", "weft.inbox", "weft.commands"];
    const { rows } = await database.store.pool.query("SELECT to_regclass(unnest($1::text[])) IS NOT NULL AS there", [
      tables,
    ]);
    expect(rows).toEqual(tables.map(() => ({ there: true })));
  });

  it("keeps its tables and what is known of its migrations when it is emptied", async () => {
    database = await createTestDatabase("testkit", [notes]);
    const { pool } = database.store;
    await pool.query(`INSERT INTO notes VALUES (1); INSERT INTO "Odd Name" VALUES (1)`);
    await database.empty();
    const { rows } = await pool.query(`
      SELECT (SELECT count(*) FROM notes)::int AS notes, (SELECT count(*) FROM "Odd Name")::int AS odd,
             (SELECT count(*) FROM weft.migrations WHERE id = '0001_notes')::int AS migrations`);
    expect(rows).toEqual([{ notes: 0, odd: 0, migrations: 1 }]);
  });

  it("is gone when its migrations fail", async () => {
    const broken = { id: "0001_broken", sql: "CREATE TABLE broken (" };
    await expect(createTestDatabase("testkit_broken", [broken])).rejects.toThrow();
    database = await createTestDatabase("testkit", []);
    const { rows } = await database.store.pool.query("SELECT FROM pg_database WHERE datname LIKE 'testkit_broken%'");
    expect(rows).toEqual([]);
  });

  it("needs DATABASE_URL, and says how to get it", async () => {
    vi.stubEnv("DATABASE_URL", undefined);
    await expect(createTestDatabase("testkit", [])).rejects.toThrow(/DATABASE_URL is not set: run `npm test`/);
  });
});

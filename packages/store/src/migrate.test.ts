import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate, migrationStatus } from "./migrate.ts";
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
    expect(await migrationStatus(store, [packaged, own])).toEqual({ applied: [packaged.id, own.id], pending: [] });
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
});

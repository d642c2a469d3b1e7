import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let store: Store<unknown>;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "driver-test", maxConnections: 1 });
  await sql`create table thing (id int primary key)`.execute(store.db);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const things = (executor = store.db) => sql`select * from thing where id > ${0} order by id`.execute(executor);

describe("the driver", () => {
  it("prepares a statement with parameters once a connection", async () => {
    await things();
    await things();
    const { rows } = await sql`select statement from pg_prepared_statements`.execute(store.db);
    expect(rows).toEqual([{ statement: "select * from thing where id > $1 order by id" }]);
  });

  it("goes on when a migration changes what a prepared statement answers, in a transaction and outside of any", async () => {
    await sql`insert into thing values (1)`.execute(store.db);
    await things();
    await sql`alter table thing add column name text default 'new'`.execute(store.db);
    expect((await things()).rows).toEqual([{ id: 1, name: "new" }]);
    await sql`alter table thing drop column name`.execute(store.db);
    let runs = 0;
    const seen = await store.transaction(async (tx) => {
      runs += 1;
      await sql`insert into thing values (${2})`.execute(tx);
      return things(tx);
    });
    expect(seen.rows).toEqual([{ id: 1 }, { id: 2 }]);
    expect(runs).toBe(2);
  });

  it("tells the transaction's owner when a statement failed inside, caught or not, that nothing was committed", async () => {
    const swallowing = store.transaction(async (tx) => {
      await sql`insert into thing values (${3})`.execute(tx);
      await sql`select 1 / ${0}::int`.execute(tx).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow("rolled back instead of committed");
    expect((await sql`select from thing where id = 3`.execute(store.db)).rows).toEqual([]);
  });

  it("begins and commits where nothing is asked in between, and keeps the connection", async () => {
    expect(await store.transaction(async () => "done")).toBe("done");
    await expect(
      store.transaction(async () => {
        throw new Error("nothing happened");
      }),
    ).rejects.toThrow("nothing happened");
    expect(store.pool.totalCount).toBe(1);
  });
});

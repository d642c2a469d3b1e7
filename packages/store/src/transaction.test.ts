import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isUnavailable, isUniqueViolation } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { currentTransaction, onCommit } from "./transaction.ts";

interface Tables {
  readonly account: { readonly id: string; readonly balance: number };
}

let database: TestDatabase;
let store: Store<Tables>;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore<Tables>({ url: database.url, application: "store-test", maxConnections: 30 });
  await migrate(store, [
    { id: "0001_account", sql: "create table account (id text primary key, balance int not null)" },
  ]);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  await sql`truncate account`.execute(store.db);
});

const balances = async (): Promise<Record<string, number>> => {
  const rows = await store.db.selectFrom("account").selectAll().orderBy("id").execute();
  return Object.fromEntries(rows.map(({ id, balance }) => [id, balance]));
};
const insert = (id: string, balance = 0) =>
  store.transaction((tx) => tx.insertInto("account").values({ id, balance }).execute());

describe("a transaction", () => {
  it("commits what it returns from and rolls back what it throws from", async () => {
    await insert("a");
    await expect(
      store.transaction(async (tx) => {
        await tx.insertInto("account").values({ id: "b", balance: 0 }).execute();
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await balances()).toEqual({ a: 0 });
    expect(currentTransaction()).toBeUndefined();
  });

  it("is joined by one inside it", async () => {
    await expect(
      store.transaction(async () => {
        await insert("a");
        throw new Error("the outer one fails");
      }),
    ).rejects.toThrow();
    expect(await balances()).toEqual({});
  });

  it("survives an inner one that failed, without the inner one's writes and hooks", async () => {
    const hooks: string[] = [];
    await insert("taken");
    await store.transaction(async () => {
      await insert("outer");
      onCommit(() => hooks.push("outer"));
      const inner = store.transaction(async () => {
        onCommit(() => hooks.push("inner"));
        await insert("inner");
        await insert("taken");
      });
      await expect(inner).rejects.toSatisfy((error) => isUniqueViolation(error, "account_pkey"));
      expect(hooks).toEqual([]);
    });
    expect(hooks).toEqual(["outer"]);
    expect(await balances()).toEqual({ outer: 0, taken: 0 });
  });

  it("is used as it is by what runs within it: what that wrote stays when its error is caught", async () => {
    await store.transaction(async (outer) => {
      const failing = store.within(async (tx) => {
        expect(tx).toBe(outer);
        await tx.insertInto("account").values({ id: "a", balance: 0 }).execute();
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
    });
    expect(await balances()).toEqual({ a: 0 });
  });

  it("is one of its own for what runs within none", async () => {
    const failing = store.within(async (tx) => {
      await tx.insertInto("account").values({ id: "a", balance: 0 }).execute();
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await balances()).toEqual({});
  });

  it("lets inner ones that were started together take turns", async () => {
    await insert("taken");
    await store.transaction(async () => {
      await Promise.allSettled(["a", "taken", "b"].map((id) => insert(id)));
    });
    expect(Object.keys(await balances())).toEqual(["a", "b", "taken"]);
  });

  it("runs again when it lost a deadlock", async () => {
    await insert("a");
    await insert("b");
    let runs = 0;
    const met = Promise.withResolvers<void>();
    let waiting = 0;
    const add = (first: string, second: string) =>
      store.transaction(async (tx) => {
        runs += 1;
        await sql`set local deadlock_timeout = 20`.execute(tx);
        await sql`update account set balance = balance + 1 where id = ${first}`.execute(tx);
        waiting += 1;
        if (waiting === 2) met.resolve();
        await met.promise;
        await sql`update account set balance = balance + 1 where id = ${second}`.execute(tx);
      });
    await Promise.all([add("a", "b"), add("b", "a")]);
    // One lost at least once; under load the same two can meet again.
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(await balances()).toEqual({ a: 2, b: 2 });
  });

  it("fails as unavailable when its connection is killed, and the next one succeeds", async () => {
    const failed = store.transaction(async (tx) => {
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx);
    });
    await expect(failed).rejects.toSatisfy(isUnavailable);
    await insert("after");
    expect(await balances()).toEqual({ after: 0 });
  });
});

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { isLockTimeout, isPoolExhausted, isSerializationFailure, isStatementTimeout, isUnavailable } from "./errors.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let store: Store<unknown>;
const maxConnections = 3;

beforeAll(async () => {
  database = await createTestDatabase();
  const limits = { connectTimeoutMs: 300, statementTimeoutMs: 400, lockTimeoutMs: 150, maxAttempts: 5 };
  store = openStore({ url: database.url, application: "limits-test", maxConnections, ...limits });
  await sql`create table doctor (name text primary key, on_call boolean not null)`.execute(store.db);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  await sql`truncate doctor`.execute(store.db);
  await sql`insert into doctor values ('ada', true), ('grace', true)`.execute(store.db);
});

const errorOf = (failing: Promise<unknown>) =>
  failing.then(
    () => expect.unreachable("it must fail"),
    (error: unknown) => error,
  );

describe("a pool", () => {
  const holdAll = () => Promise.all(Array.from({ length: maxConnections }, () => store.pool.connect()));

  const calls: readonly (readonly [what: string, call: () => Promise<unknown>])[] = [
    ["a statement", () => sql`select ${1}::int`.execute(store.db)],
    ["a transaction", () => store.transaction(async () => undefined)],
  ];

  it.for(calls)("that is exhausted refuses %s when the time to wait is over, and serves again", async ([, call]) => {
    const held = await holdAll();
    const startedAt = performance.now();
    const error = await errorOf(call());
    const waitedMs = performance.now() - startedAt;
    expect([isPoolExhausted(error), isUnavailable(error)]).toEqual([true, true]);
    expect(waitedMs).toBeGreaterThan(290);
    expect(waitedMs).toBeLessThan(1_500);
    for (const client of held) client.release();
    await Promise.all(Array.from({ length: 4 * maxConnections }, call));
    expect(store.pool.totalCount).toBeLessThanOrEqual(maxConnections);
  });

  it("gives a connection that is freed in time to who waits longest", async () => {
    const held = await holdAll();
    const order: string[] = [];
    const waiting = ["first", "second"].map((name) => store.ping().then(() => order.push(name)));
    held[0]?.release();
    await Promise.all(waiting);
    expect(order).toEqual(["first", "second"]);
    for (const client of held.slice(1)) client.release();
  });

  it("is not what a refused statement is about", async () => {
    expect(isPoolExhausted(await errorOf(sql`select 1 / 0`.execute(store.db)))).toBe(false);
  });
});

describe("a statement that takes too long", () => {
  it("is broken off, leaves nothing of its transaction and a connection that is as good as before", async () => {
    const error = await errorOf(
      store.transaction(async (tx) => {
        await sql`delete from doctor`.execute(tx);
        await sql`select pg_sleep(${60})`.execute(tx);
      }),
    );
    expect([isStatementTimeout(error), isUnavailable(error)]).toEqual([true, false]);
    const { rows } = await sql`select name from doctor`.execute(store.db);
    expect(rows).toHaveLength(2);
  });
});

describe("a transaction in which nothing is asked for too long", () => {
  it("is unavailable, and the next one is not", async () => {
    const error = await errorOf(
      store.transaction(async (tx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        await sql`set local idle_in_transaction_session_timeout = 20`.execute(tx);
        const sessions = "select from pg_stat_activity where pid = $1";
        await vi.waitUntil(async () => (await database.admin(sessions, [rows[0]?.pid])).rowCount === 0);
        await sql`select ${1}::int`.execute(tx);
      }),
    );
    expect(isUnavailable(error)).toBe(true);
    await store.ping();
  });
});

describe("a lock that isn't freed", () => {
  it("is waited for no longer than is set", async () => {
    const holder = await store.connect("holder");
    await holder.query("begin; update doctor set on_call = false");
    const error = await errorOf(sql`update doctor set on_call = ${true}`.execute(store.db));
    expect([isLockTimeout(error), isStatementTimeout(error)]).toEqual([true, false]);
    await holder.end();
    await sql`update doctor set on_call = ${true}`.execute(store.db);
  });
});

describe("two serializable transactions that can't both be right", () => {
  /** A doctor goes off call, unless no other one is left: each alone is right. */
  function goOffCall(name: string, looked: () => Promise<void>): Promise<boolean> {
    return store.transaction(async (tx) => {
      await sql`set transaction isolation level serializable`.execute(tx);
      const { rows } = await sql<{ left: number }>`
        select count(*)::int as left from doctor where on_call and name <> ${name}`.execute(tx);
      await looked();
      if (rows[0]?.left === 0) return false;
      await sql`update doctor set on_call = false where name = ${name}`.execute(tx);
      return true;
    });
  }

  it("are both answered: the one that loses runs again, and sees what the other one did", async () => {
    let looks = 0;
    const both = Promise.withResolvers<void>();
    const looked = async (): Promise<void> => {
      looks += 1;
      if (looks === 2) both.resolve();
      await both.promise;
    };
    const went = await Promise.all([goOffCall("ada", looked), goOffCall("grace", looked)]);
    expect(went.sort()).toEqual([false, true]);
    expect(looks).toBeGreaterThanOrEqual(3);
  });

  it("end in the database's own words when one loses as often as it may run", async () => {
    let runs = 0;
    const error = await errorOf(
      store.transaction(async (tx) => {
        runs += 1;
        await sql`do $$ begin raise serialization_failure; end $$`.execute(tx);
      }),
    );
    expect(isSerializationFailure(error)).toBe(true);
    expect(runs).toBe(5);
  });
});

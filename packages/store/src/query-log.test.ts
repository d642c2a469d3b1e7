import { silentLogger } from "@weft/telemetry";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let store: Store<unknown>;
const warnings: (readonly [fields: object, message: string])[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = { ...silentLogger, warn: (...line: [object, string]) => void warnings.push(line) };
  const limits = { slowQueryMs: 100, statementTimeoutMs: 300 };
  store = openStore({ url: database.url, application: "query-log-test", ...limits, logger });
  await store.ping();
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(() => {
  warnings.length = 0;
});

describe("the log of slow statements", () => {
  it("has a statement with its time, and none of its values", async () => {
    await sql`select pg_sleep(${0.15}), ${"a secret"}::text`.execute(store.db);
    const fields = { durationMs: expect.any(Number), sql: "select pg_sleep($1), $2::text" };
    expect(warnings).toEqual([[fields, "a statement was slow"]]);
    expect(JSON.stringify(warnings)).not.toContain("secret");
  });

  it("has one that was broken off", async () => {
    await expect(store.transaction((tx) => sql`select pg_sleep(${5})`.execute(tx))).rejects.toThrow("timeout");
    expect(warnings.map(([fields]) => fields)).toMatchObject([{ sql: "select pg_sleep($1)" }]);
  });

  it("has no statement that was fast, however long it waited for a connection", async () => {
    const held = await Promise.all(Array.from({ length: 10 }, () => store.pool.connect()));
    const waiting = sql`select ${1}::int`.execute(store.db);
    await held[0]?.query("select pg_sleep(0.15)");
    for (const client of held) client.release();
    await waiting;
    expect(warnings).toEqual([]);
  });
});

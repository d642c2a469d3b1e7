import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isUnavailable } from "./errors.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { openSilentWay, type SilentWay } from "./testing/silent-way.ts";

let database: TestDatabase;
let way: SilentWay;
let store: Store<unknown>;
beforeEach(async () => {
  database = await createTestDatabase();
  way = await openSilentWay(database.url);
  const limits = { maxConnections: 3, statementTimeoutMs: 10_000, answerTimeoutMs: 300 };
  store = openStore({ url: way.url, application: "silence-test", ...limits });
});
afterEach(async () => {
  await store.close();
  await way.close();
  await database.drop();
});

const calls: readonly (() => Promise<unknown>)[] = [
  () => sql`select ${1}::int`.execute(store.db),
  () => store.transaction((tx) => sql`select ${1}::int`.execute(tx)),
  () => store.ping(),
];

describe("a database that falls silent", () => {
  it("is unavailable to each call in the time to answer, and its connections hold up none that comes after", async () => {
    await Promise.all(calls.map((call) => call()));
    way.fallSilent();
    const startedAt = performance.now();
    const ends = await Promise.allSettled(calls.map((call) => call()));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    for (const end of ends) {
      if (end.status === "fulfilled") expect.unreachable("nothing arrives");
      else expect(isUnavailable(end.reason)).toBe(true);
    }
    for (let round = 0; round < 3; round++) await Promise.all(calls.map((call) => call()));
  });

  it("is not meant where a statement is answered in time, one after the other", async () => {
    await store.transaction(async (tx) => {
      for (let n = 0; n < 4; n++) await sql`select pg_sleep(${0.1})`.execute(tx);
    });
  });
});

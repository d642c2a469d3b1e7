import { migrate, openStore, type Store } from "@weft/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEventId } from "../event-id.ts";
import { eventMigrations } from "../migrations.ts";
import { insertIntoOutbox } from "../outbox-insert.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { createOutboxTable } from "./outbox-table.ts";

let database: TestDatabase;
let store: Store<unknown>;
beforeEach(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "outbox-test" });
  await migrate(store, eventMigrations);
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

const add = (key: string, bytes = 1) =>
  store.transaction((tx) =>
    insertIntoOutbox(tx, {
      ...{ id: createEventId(), stream: "S", subject: "s.v1.Thing", key, headers: {} },
      data: new Uint8Array(bytes),
    }),
  );
const limit = { rows: 10, bytes: 1_000 };
const names = (rows: readonly { readonly key: string; readonly keySeq: string }[]): string[] =>
  rows.map(({ key, keySeq }) => `${key}${keySeq}`);

describe("the rows that have not left", () => {
  it("hold a row that was committed after its neighbours, before the next one of its key", async () => {
    const table = createOutboxTable(store);
    const inserted = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const slow = store.transaction(async () => {
      await add("a");
      inserted.resolve();
      await released.promise;
    });
    await inserted.promise;
    await add("b");
    const first = await table.pending(limit, [], []);
    expect(names(first)).toEqual(["b1"]);
    released.resolve();
    await slow;
    await add("a");
    expect(names(await table.pending(limit, [], first))).toEqual(["a1", "a2"]);
  });

  it("are as many as fit into the bytes, and one at least", async () => {
    const table = createOutboxTable(store);
    for (const bytes of [2_000, 400, 400, 400]) await add("a", bytes);
    const first = await table.pending(limit, [], []);
    expect(names(first)).toEqual(["a1"]);
    expect(names(await table.pending(limit, [], first))).toEqual(["a2", "a3", "a4"]);
    expect(names(await table.pending({ rows: 10, bytes: 500 }, [], first))).toEqual(["a2", "a3"]);
  });
});

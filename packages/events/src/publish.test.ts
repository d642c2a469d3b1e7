import { create, toBinary } from "@bufbuild/protobuf";
import { MixinSchema } from "@bufbuild/protobuf/wkt";
import { createCall, runWithCall } from "@weft/context";
import { migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EventError } from "./event-error.ts";
import { eventMigrations } from "./migrations.ts";
import { maxEventBytes, publish } from "./publish.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

const Thing = { schema: MixinSchema, subject: "test.thing.v1.Thing", stream: "TEST_THING_V1", key: "name" };

let database: TestDatabase;
let store: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "publish-test", maxConnections: 20 });
  await migrate(store, eventMigrations);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  await sql`truncate weft.outbox, weft.outbox_keys, weft.outbox_pending`.execute(store.db);
});

const reason = (reason: string) => (error: unknown) => error instanceof EventError && error.reason === reason;

describe("publish", () => {
  it("refuses an event outside of a transaction, and says what to do", async () => {
    await expect(publish(Thing, { name: "k" })).rejects.toThrow("publish it inside Store.transaction");
  });

  it("refuses an event without a key, with too long a one, and one that is too large", async () => {
    const attempt = (name: string, root = "") => store.transaction(() => publish(Thing, { name, root }));
    await expect(attempt("")).rejects.toSatisfy(reason("no-key"));
    await expect(attempt("k".repeat(513))).rejects.toSatisfy(reason("key-too-long"));
    await expect(attempt("k", "x".repeat(maxEventBytes))).rejects.toSatisfy(reason("too-large"));
  });

  it("writes the event as CloudEvents in binary mode, with the call's correlation id", async () => {
    const { id } = await runWithCall(createCall({ correlationId: "corr-1" }), () =>
      store.transaction(() => publish(Thing, { name: 'a "key" für\n2', root: "r" })),
    );
    const { rows } = await sql<{ headers: Record<string, string>; data: Buffer }>`select * from weft.outbox`.execute(
      store.db,
    );
    expect(rows[0]?.headers).toMatchObject({
      "ce-id": id,
      "ce-specversion": "1.0",
      "ce-type": "test.thing.v1.Thing",
      "ce-partitionkey": "a%20%22key%22%20f%C3%BCr%0A2",
      "content-type": "application/protobuf",
      "x-correlation-id": "corr-1",
      "weft-schema-hash": expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const bytes = toBinary(MixinSchema, create(MixinSchema, { name: 'a "key" für\n2', root: "r" }));
    expect(new Uint8Array(rows[0]?.data ?? [])).toEqual(bytes);
  });

  it("lets an event that no call caused begin a correlation of its own", async () => {
    const { id } = await store.transaction(() => publish(Thing, { name: "k" }));
    const { rows } = await sql<{ correlation: string }>`
      select headers ->> 'x-correlation-id' as correlation from weft.outbox`.execute(store.db);
    expect(rows).toEqual([{ correlation: id }]);
  });

  it("numbers a key's events without gaps in the order of their commits, rolled back ones aside", async () => {
    await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        store.transaction(async () => {
          await publish(Thing, { name: "k", root: String(i) });
          if (i % 3 === 0) throw new Error("rolled back");
        }),
      ),
    );
    const { rows } = await sql<{ key_seq: string }>`select key_seq from weft.outbox order by position`.execute(
      store.db,
    );
    expect(rows.map(({ key_seq }) => Number(key_seq))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

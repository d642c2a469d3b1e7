import { migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventMigrations } from "../migrations.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { createOutboxTable } from "./outbox-table.ts";

let database: TestDatabase;
let store: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "outbox-test" });
  await migrate(store, eventMigrations);
  // Every third row is another stream's.
  await sql`
    insert into weft.outbox (id, stream, subject, key, key_seq, headers, data, published_at, stream_sequence)
    select gen_random_uuid(), case n % 3 when 0 then 'OTHER' else 'LOST' end, 's', n::text, 1, '{}', '', now(), n
    from generate_series(1, 90000) as n`.execute(store.db);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

describe("a stream that is opened again", () => {
  it("has all of its rows above what the broker kept to publish, however many, and no other ones", async () => {
    const table = createOutboxTable(store);
    const stream = { stream: "LOST", subject: "s", created: "again", lastSequence: 30_000n };
    expect(await table.reopen(stream, 30_000n)).toBe(40_000);
    const { rows } = await sql<{ stream: string; waiting: number; first: number; left: number }>`
      select stream, count(*) filter (where published_at is null)::int as waiting,
        min(key::int) filter (where published_at is null) as first,
        count(*) filter (where published_at is not null)::int as left
      from weft.outbox group by stream order by stream`.execute(store.db);
    expect(rows).toEqual([
      { stream: "LOST", waiting: 40_000, first: 30_001, left: 20_000 },
      { stream: "OTHER", waiting: 0, first: null, left: 30_000 },
    ]);
    expect(await table.streams()).toContainEqual(stream);
  });
});

import { migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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

const add = (key: string, bytes = 1, stream = "S") =>
  store.transaction((tx) =>
    insertIntoOutbox(tx, {
      ...{ id: createEventId(), stream, subject: "s.v1.Thing", key, headers: {} },
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

describe("the rows that have left", () => {
  const all = { rows: 100, bytes: 1_000_000 };
  const left = async (): Promise<readonly string[]> => {
    const { rows } = await sql<{ name: string }>`
      select stream || key as name from weft.outbox order by position`.execute(store.db);
    return rows.map(({ name }) => name);
  };

  /** Until so many statements wait for what another transaction holds. */
  const waitForLock = (statements = 1) =>
    vi.waitFor(async () => {
      const { rows } = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(store.db);
      expect(rows).toHaveLength(statements);
    });

  /** As many events of a stream as there are keys, which left a minute ago, with the numbers 1, 2, … */
  async function leave(stream: string, ...keys: readonly string[]): Promise<void> {
    const table = createOutboxTable(store);
    const state = { stream, subject: "s.v1.Thing", created: "then", lastSequence: 0n };
    await table.reopen(state, 0n);
    for (const key of keys) await add(key, 1, stream);
    const rows = (await table.pending(all, [], [])).filter((row) => row.stream === stream);
    await table.markPublished(rows.map((row, i) => ({ ...row, streamSequence: BigInt(i + 1) })));
    await sql`update weft.outbox_published set published_at = published_at - interval '1 minute'
      where stream = ${stream}`.execute(store.db);
  }

  it("are forgotten after the retention, the oldest of each stream, those that wait never", async () => {
    const table = createOutboxTable(store);
    await leave("S", "a", "b", "c");
    await leave("T", "a");
    await add("late");
    expect(await table.sweep(120_000, 10)).toBe(0);
    expect(await table.sweep(30_000, 2)).toBe(3);
    expect(await left()).toEqual(["Sc", "Slate"]);
    expect(await table.sweep(30_000, 2)).toBe(1);
    expect(await left()).toEqual(["Slate"]);
    expect(names(await table.pending(all, [], []))).toEqual(["late1"]);
  });

  it("leave again when their stream has lost them, and only those", async () => {
    const table = createOutboxTable(store);
    await leave("S", "a", "b", "c");
    await leave("T", "a");
    const rolledBack = { stream: "S", subject: "s.v1.Thing", created: "then", lastSequence: 1n };
    expect(await table.reopen(rolledBack, 1n)).toBe(2);
    expect(names(await table.pending(all, [], []))).toEqual(["b1", "c1"]);
    expect(await table.streams()).toContainEqual({ ...rolledBack, lastId: undefined });
    expect(await table.backlog()).toEqual({ depth: 2, lagMs: expect.any(Number) });
  });

  it("leave again when their stream has lost them, all of them while others of it are being forgotten", async () => {
    const table = createOutboxTable(store);
    const state = { stream: "S", subject: "s.v1.Thing", created: "then", lastSequence: 45_000n };
    await table.reopen(state, 0n);
    await sql`
      insert into weft.outbox (id, stream, subject, key, key_seq, headers, data)
      select gen_random_uuid(), 'S', 's.v1.Thing', n::text, 1, '{}', '' from generate_series(1, 45000) as n`.execute(
      store.db,
    );
    await sql`
      with sent as (delete from weft.outbox_pending returning position)
      insert into weft.outbox_published
      select 'S', position, position, now() - case when position <= 10 then interval '1 hour' else interval '0' end
      from sent`.execute(store.db);
    // Holds the sweep back after it has taken the numbers of what it forgets.
    const blocker = await store.connect("blocker");
    try {
      await blocker.query("begin; select from weft.outbox where position = 10 for update");
      const swept = table.sweep(60_000, 100);
      await waitForLock();
      const reopened = table.reopen({ ...state, created: "now", lastSequence: 0n }, 0n);
      await waitForLock(2);
      await blocker.query("commit");
      expect([await swept, await reopened]).toEqual([10, 44_990]);
    } finally {
      await blocker.end();
    }
    expect(await table.backlog()).toMatchObject({ depth: 44_990 });
  });

  it("are found among many that wait, though PostgreSQL believes that none does", async () => {
    const one = openStore({ url: database.url, application: "outbox-test", maxConnections: 1 });
    try {
      const table = createOutboxTable(one);
      await sql`vacuum (analyze) weft.outbox_pending`.execute(one.db);
      for (let n = 0; n < 10; n++) await add("a");
      const rows = await table.pending(all, [], []);
      const reads = async (): Promise<unknown> => {
        await sql`select pg_stat_force_next_flush()`.execute(one.db);
        const { rows } = await sql`
          select seq_scan from pg_stat_user_tables where relid = 'weft.outbox_pending'::regclass`.execute(one.db);
        return rows[0];
      };
      const before = await reads();
      // More often than it takes until a statement's plan is kept.
      for (const [n, row] of rows.entries()) await table.markPublished([{ ...row, streamSequence: BigInt(n + 1) }]);
      expect(await reads()).toEqual(before);
      expect(await table.backlog()).toMatchObject({ depth: 0 });
    } finally {
      await one.close();
    }
  });

  it("are marked once, though a mark is repeated", async () => {
    const table = createOutboxTable(store);
    await add("a");
    const [row] = await table.pending(all, [], []);
    const mark = () => table.markPublished(row ? [{ ...row, streamSequence: 1n }] : []);
    await Promise.all([mark(), mark()]);
    await mark();
    const { rows } = await sql`select stream, stream_sequence::int as n from weft.outbox_published`.execute(store.db);
    expect(rows).toEqual([{ stream: "S", n: 1 }]);
    expect(await table.backlog()).toEqual({ depth: 0, lagMs: 0 });
  });
});

describe("an outbox of a former version", () => {
  const before = eventMigrations.findIndex(({ id }) => id.endsWith("outbox_rows_once"));
  let former: TestDatabase;
  let old: Store<unknown>;
  beforeEach(async () => {
    former = await createTestDatabase();
    old = openStore({ url: former.url, application: "outbox-test" });
    await migrate(old, eventMigrations.slice(0, before));
  });
  afterEach(async () => {
    await old.close();
    await former.drop();
  });

  const insert = (key: string) =>
    sql`
      insert into weft.outbox (id, stream, subject, key, key_seq, headers, data)
      values (${createEventId()}, 'S', 's.v1.Thing', ${key}, 1, '{}', '')`.execute(old.db);

  it("keeps what has left and what has not, and what that version still adds leaves too", async () => {
    for (const key of ["left", "waits"]) await insert(key);
    await sql`update weft.outbox set published_at = now(), stream_sequence = 7 where key = 'left'`.execute(old.db);
    for (let next = before; next < eventMigrations.length; next++) {
      await migrate(old, eventMigrations.slice(0, next + 1));
      await insert(`added${next - before}.`);
    }
    const table = createOutboxTable(old);
    const since = ["waits1", "added0.1", "added1.1", "added2.1"];
    expect(names(await table.pending(limit, [], []))).toEqual(since);
    const state = { stream: "S", subject: "s.v1.Thing", created: "now", lastSequence: 6n };
    expect(await table.reopen(state, 6n)).toBe(1);
    expect(names(await table.pending(limit, [], []))).toEqual(["left1", ...since]);
  });

  it("takes events while what it keeps is copied", async () => {
    await insert("left");
    await sql`update weft.outbox set published_at = now(), stream_sequence = 1`.execute(old.db);
    await migrate(old, eventMigrations.slice(0, before + 1));
    const copy = eventMigrations[before + 1];
    const client = await old.connect("copy");
    try {
      await client.query(`begin; ${copy?.sql}`);
      await insert("added");
      await client.query("commit");
    } finally {
      await client.end();
    }
    const { rows } = await sql`select position::int from weft.outbox_pending`.execute(old.db);
    expect(rows).toEqual([{ position: 2 }]);
  });
});

import type { Store } from "@weft/store";
import { sql } from "kysely";
import type { Headers } from "../event-headers.ts";

export interface OutboxRow {
  readonly position: string;
  readonly id: string;
  readonly stream: string;
  readonly subject: string;
  readonly key: string;
  readonly keySeq: string;
  readonly headers: Headers;
  readonly data: Buffer;
}

export interface PublishedRow {
  readonly position: string;
  readonly streamSequence: bigint;
}

/** The relay's statements. */
export interface OutboxTable {
  /** Rows that have not left, in the order of their keys' commits, without those of the keys that are held back. */
  pending(limit: number, heldBack: readonly string[]): Promise<readonly OutboxRow[]>;
  markPublished(rows: readonly PublishedRow[]): Promise<void>;
  /** Deletes rows that left longer ago than the retention; resolves with how many. */
  sweep(retentionMs: number, limit: number): Promise<number>;
  /** How many rows wait (counted up to 100,000), and for how long the oldest has, in milliseconds. */
  backlog(): Promise<{ readonly depth: number; readonly lagMs: number }>;
}

/** Names a key across streams: events of one lane leave one after the other. */
export function laneOf(row: { readonly stream: string; readonly key: string }): string {
  return `${row.stream} ${row.key}`;
}

export function createOutboxTable<DB>({ db }: Store<DB>): OutboxTable {
  return {
    async pending(limit, heldBack) {
      const { rows } = await sql<OutboxRow>`
        select position, id, stream, subject, key, key_seq as "keySeq", headers, data from weft.outbox
        where published_at is null and (stream || ' ' || key) <> all(${heldBack}::text[])
        order by position limit ${limit}`.execute(db);
      return rows;
    },
    async markPublished(rows) {
      const positions = rows.map(({ position }) => position);
      const sequences = rows.map(({ streamSequence }) => String(streamSequence));
      await sql`
        update weft.outbox o set published_at = clock_timestamp(), stream_sequence = p.sequence
        from unnest(${positions}::bigint[], ${sequences}::bigint[]) as p(position, sequence)
        where o.position = p.position`.execute(db);
    },
    async sweep(retentionMs, limit) {
      const { numAffectedRows } = await sql`
        delete from weft.outbox where position in (
          select position from weft.outbox
          where published_at < now() - ${retentionMs} * interval '1 millisecond' order by published_at limit ${limit})`.execute(
        db,
      );
      return Number(numAffectedRows ?? 0n);
    },
    async backlog() {
      const { rows } = await sql<{ depth: string; lag: number | null }>`
        select count(*) as depth, extract(epoch from clock_timestamp() - min(created_at))::float8 * 1000 as lag
        from (select created_at from weft.outbox where published_at is null order by position limit 100000) as waiting`.execute(
        db,
      );
      return { depth: Number(rows[0]?.depth ?? 0), lagMs: rows[0]?.lag ?? 0 };
    },
  };
}

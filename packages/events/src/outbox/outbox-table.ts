import type { Store } from "@weft/store";
import { type QueryExecutorProvider, type RawBuilder, sql } from "kysely";

export interface OutboxRow {
  readonly position: string;
  readonly id: string;
  readonly stream: string;
  readonly subject: string;
  readonly key: string;
  readonly keySeq: string;
  /** JSON of an object; read when the row leaves, since a thousand strings that wait are what a garbage collector has to carry. */
  readonly headers: string;
  readonly data: Buffer;
}

/** As much as is read at once: so many rows, and as many of them as stay below so many bytes; one at least. */
export interface PendingLimit {
  readonly rows: number;
  readonly bytes: number;
}

export interface PublishedRow extends Pick<OutboxRow, "position" | "id" | "stream"> {
  readonly streamSequence: bigint;
}

/** A stream as the broker last acknowledged it. */
export interface AcknowledgedStream {
  readonly stream: string;
  /** One of its subjects. */
  readonly subject: string;
  /** Undefined for one that was never looked at. */
  readonly created: string | undefined;
  readonly lastSequence: bigint;
  /** The id of the event that has this number; undefined where none was noted. */
  readonly lastId?: string | undefined;
}

/** The relay's statements. */
export interface OutboxTable {
  /** Rows that have not left, in the order of their keys' commits, without those of the keys that are held back and those that are on their way. */
  pending(
    limit: PendingLimit,
    heldBack: readonly string[],
    onTheirWay: readonly OutboxRow[],
  ): Promise<readonly OutboxRow[]>;
  markPublished(rows: readonly PublishedRow[]): Promise<void>;
  /** The streams that events were published to. */
  streams(): Promise<readonly AcknowledgedStream[]>;
  /** Notes how a stream is now; its rows that it no longer has, those above `kept`, have not left then. Resolves with how many. */
  reopen(stream: AcknowledgedStream, kept: bigint): Promise<number>;
  /** Deletes rows that left longer ago than the retention, the oldest of each stream, so many of each at most; resolves with how many. */
  sweep(retentionMs: number, limit: number): Promise<number>;
  /** How many rows wait (counted up to 100,000), and for how long the oldest has, in milliseconds. */
  backlog(): Promise<{ readonly depth: number; readonly lagMs: number }>;
}

/** Names a key across streams: events of one lane leave one after the other. */
export function laneOf(row: { readonly stream: string; readonly key: string }): string {
  return `${row.stream} ${row.key}`;
}

export function createOutboxTable<DB>(store: Store<DB>): OutboxTable {
  const { db } = store;

  /** The planner knows the backlog of the last ANALYZE, which may be none, and keeps plans for it. */
  function byIndex<T>(statement: (tx: QueryExecutorProvider) => Promise<T>): Promise<T> {
    return db.transaction().execute(async (tx) => {
      const settled = sql`
        select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`.execute(tx);
      const [, result] = await Promise.all([settled, statement(tx)]);
      return result;
    });
  }

  return {
    async pending(limit, heldBack, onTheirWay) {
      // A cursor would pass over a row that was committed after its neighbours: those are looked for among what is on its way.
      const sent = onTheirWay.map(({ position }) => position);
      const newest = sent.reduce((most, position) => (BigInt(position) > most ? BigInt(position) : most), 0n);
      const late = sql`
        select position from weft.outbox_pending where position <= ${String(newest)}::bigint
          and not exists (select from unnest(${sent}::bigint[]) as sent where sent = position)`;
      const next = sql`select position from weft.outbox_pending where position > ${String(newest)}::bigint`;
      // "offset 0" keeps the order of a backlog's index, whatever its size: a plan that joins all of it would sort all of it too.
      const first = (waiting: RawBuilder<unknown>) => sql`
        (select event.* from (${waiting} order by position offset 0) as waiting cross join lateral (
          select * from weft.outbox where position = waiting.position and ${without(heldBack)} offset 0) as event
        limit ${limit.rows})`;
      const { rows } = await byIndex((tx) =>
        sql<OutboxRow>`
          select position, id, stream, subject, key, key_seq as "keySeq", headers::text as headers, data from (
            select *, sum(octet_length(data)) over (order by position rows unbounded preceding) - octet_length(data) as before
            from (${first(late)} union all ${first(next)}) as event
          ) as measured
          where before < ${limit.bytes} order by position limit ${limit.rows}`.execute(tx),
      );
      return rows;
    },
    async markPublished(rows) {
      const positions = rows.map(({ position }) => position);
      const streams = rows.map(({ stream }) => stream);
      const sequences = rows.map(({ streamSequence }) => String(streamSequence));
      const newest = [...newestOf(rows).values()];
      await byIndex((tx) =>
        sql`
          with left_now as (
            delete from weft.outbox_pending where position = any(${positions}::bigint[]) returning position
          ), noted as (
            insert into weft.outbox_published (stream, stream_sequence, position)
            select stream, stream_sequence, position from left_now
            join unnest(${positions}::bigint[], ${streams}::text[], ${sequences}::bigint[])
              as published(position, stream, stream_sequence) using (position)
          )
          update weft.outbox_streams s
          set last_sequence = newest.sequence, last_id = newest.id, last_id_sequence = newest.sequence
          from unnest(${newest.map(({ stream }) => stream)}::text[], ${newest.map(({ id }) => id)}::uuid[],
            ${newest.map(({ streamSequence }) => String(streamSequence))}::bigint[]) as newest(stream, id, sequence)
          where s.stream = newest.stream and s.last_sequence < newest.sequence`.execute(tx),
      );
    },
    async streams() {
      const { rows } = await sql<{
        stream: string;
        subject: string;
        created: string | null;
        last: string;
        last_id: string | null;
      }>`
        select stream, subject, created, last_sequence as last,
          case when last_id_sequence = last_sequence then last_id end as last_id
        from weft.outbox_streams`.execute(db);
      return rows.map(({ stream, subject, created, last, last_id }) => ({
        stream,
        subject,
        created: created ?? undefined,
        lastSequence: BigInt(last),
        lastId: last_id ?? undefined,
      }));
    },
    reopen({ stream, subject, created = null, lastSequence }, kept) {
      return store.transaction(async (tx) => {
        let reopened = 0;
        // All that is kept may have to leave again: in parts, since no statement may take for ever.
        for (let above: bigint | undefined = kept; above !== undefined; ) {
          const part = await reopenSome(tx, stream, above);
          reopened += part.reopened;
          above = part.more;
        }
        await sql`
          insert into weft.outbox_streams (stream, subject, created, last_sequence)
          values (${stream}, ${subject}, ${created}, ${String(lastSequence)}::bigint)
          on conflict (stream) do update set created = excluded.created, last_sequence = excluded.last_sequence,
            last_id = null, last_id_sequence = null`.execute(tx);
        return reopened;
      });
    },
    async sweep(retentionMs, limit) {
      // In the order of their numbers, which is the one in which they left: no index of the times.
      const { rows } = await sql<{ swept: string }>`
        with expired as (
          delete from weft.outbox_published where ctid = any(array(
            select oldest.ctid from weft.outbox_streams s cross join lateral (
              select ctid, published_at from weft.outbox_published
              where stream = s.stream order by stream_sequence limit ${limit}) as oldest
            where oldest.published_at < now() - ${retentionMs} * interval '1 millisecond'))
          returning position
        ), swept as (
          delete from weft.outbox where position = any(array(select position from expired)) returning position
        )
        select count(*) as swept from swept`.execute(db);
      return Number(rows[0]?.swept ?? 0);
    },
    async backlog() {
      const { rows } = await sql<{ depth: string; lag: number | null }>`
        select (select count(*) from (select from weft.outbox_pending limit 100000) as waiting) as depth,
          (select extract(epoch from clock_timestamp() - created_at)::float8 * 1000 from weft.outbox
            where position = (select min(position) from weft.outbox_pending)) as lag`.execute(db);
      return { depth: Number(rows[0]?.depth ?? 0), lagMs: rows[0]?.lag ?? 0 };
    },
  };
}

/** The row of each stream that has the highest number. */
function newestOf(rows: readonly PublishedRow[]): ReadonlyMap<string, PublishedRow> {
  const newest = new Map<string, PublishedRow>();
  for (const row of rows) {
    const known = newest.get(row.stream);
    if (!known || row.streamSequence > known.streamSequence) newest.set(row.stream, row);
  }
  return newest;
}

/** Most of the time no lane is held back, and then none of the rows has its own named. */
function without(lanes: readonly string[]): RawBuilder<boolean> {
  return lanes.length === 0 ? sql`true` : sql`(stream || ' ' || key) <> all(${lanes}::text[])`;
}

const reopenedAtOnce = 20_000;

/**
 * Rows of a stream above a number have to leave again, as many as are opened at once. `more` is the number that this came to, if there may
 * be others above it: a sweep that takes some of these rows at the same time is no end.
 */
async function reopenSome(
  tx: QueryExecutorProvider,
  stream: string,
  above: bigint,
): Promise<{ readonly reopened: number; readonly more: bigint | undefined }> {
  const { rows } = await sql<{ reopened: string; chosen: string; last: string | null }>`
    with chosen as materialized (
      select ctid as place, stream_sequence from weft.outbox_published
      where stream = ${stream} and stream_sequence > ${String(above)}::bigint
      order by stream_sequence fetch first ${reopenedAtOnce} rows with ties
    ), lost as (
      delete from weft.outbox_published where ctid = any(array(select place from chosen)) returning position
    ), opened as (
      insert into weft.outbox_pending select position from lost on conflict do nothing returning position
    )
    select (select count(*) from opened) as reopened, count(*) as chosen, max(stream_sequence) as last from chosen`.execute(
    tx,
  );
  const [{ reopened = "0", chosen = "0", last = null } = {}] = rows;
  return {
    reopened: Number(reopened),
    more: last !== null && Number(chosen) >= reopenedAtOnce ? BigInt(last) : undefined,
  };
}

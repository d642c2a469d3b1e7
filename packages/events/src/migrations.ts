import type { Migration } from "@weft/store";

/** Tables of outbox and inbox, in the schema "weft" of the service's own database. The set is "weft.events". */
export const eventMigrations: readonly Migration[] = [
  {
    id: "weft.events/0001_outbox",
    sql: `
      create schema if not exists weft;
      create table weft.outbox_keys (
        stream text not null,
        key text not null,
        last_seq bigint not null,
        primary key (stream, key)
      ) with (fillfactor = 80);
      create table weft.outbox (
        position bigint generated always as identity primary key,
        id uuid not null unique,
        stream text not null,
        subject text not null,
        key text not null,
        key_seq bigint not null,
        headers jsonb not null,
        data bytea not null,
        created_at timestamptz not null default clock_timestamp(),
        published_at timestamptz,
        stream_sequence bigint
      );
      create index outbox_pending on weft.outbox (position) where published_at is null;
      create index outbox_published on weft.outbox (published_at) where published_at is not null;`,
  },
  {
    id: "weft.events/0002_inbox",
    sql: `
      -- When a consumer began: one that has to be created again starts there.
      create table weft.inbox_consumers (
        consumer text primary key,
        started_at timestamptz not null default now()
      );
      -- How far a consumer is with a key. Numbers up to the baseline were never expected.
      create table weft.inbox_positions (
        consumer text not null,
        key text not null,
        last_seq bigint not null,
        baseline bigint not null,
        parked_by uuid,
        updated_at timestamptz not null default now(),
        primary key (consumer, key)
      ) with (fillfactor = 80);
      create table weft.inbox (
        consumer text not null,
        event_id uuid not null,
        settled_at timestamptz not null default now(),
        primary key (consumer, event_id)
      );
      create index inbox_settled on weft.inbox (settled_at);
      create table weft.inbox_failures (
        consumer text not null,
        event_id uuid not null,
        attempts int not null,
        last_error text not null,
        failed_at timestamptz not null default now(),
        primary key (consumer, event_id)
      );
      create index inbox_failures_at on weft.inbox_failures (failed_at);`,
  },
  {
    id: "weft.events/0003_outbox_streams",
    sql: `
      -- What the broker had acknowledged of each stream: it is refilled when it has less, or another stream of the name.
      create table weft.outbox_streams (
        stream text primary key,
        subject text not null,
        created text,
        last_sequence bigint not null
      );
      insert into weft.outbox_streams (stream, subject, last_sequence)
        select stream, min(subject), max(stream_sequence) from weft.outbox
        where stream_sequence is not null group by stream;`,
  },
  {
    id: "weft.events/0004_inbox_dead",
    sql: `
      -- Events that are dead letters. Those that were handled since have a time.
      create table weft.inbox_dead (
        consumer text not null,
        event_id uuid not null,
        key text not null,
        died_at timestamptz not null default now(),
        revived_at timestamptz,
        primary key (consumer, event_id)
      );
      create index inbox_dead_of_key on weft.inbox_dead (consumer, key) where revived_at is null;
      create index inbox_dead_at on weft.inbox_dead (died_at);`,
  },
  {
    id: "weft.events/0005_vacuum",
    sql: `
      -- Each event leaves a dead version of its row, and each sweep as many dead rows: cleaned up long before they are a fifth of the table.
      alter table weft.outbox set (
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);
      alter table weft.outbox_keys set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
      alter table weft.inbox set (
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);
      alter table weft.inbox_positions set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);`,
  },
  {
    id: "weft.events/0006_outbox_streams_last_id",
    sql: `
      -- Which event has which number: tells a stream that others have filled up again after it was rolled back.
      alter table weft.outbox_streams add column last_id uuid, add column last_id_sequence bigint;`,
  },
  {
    id: "weft.events/0007_outbox_of_stream",
    sql: `
      -- For what a stream has lost, without a look at all that is kept.
      create index outbox_of_stream on weft.outbox (stream, stream_sequence) where published_at is not null;`,
  },
  {
    id: "weft.events/0008_no_outbox_published",
    sql: `
      -- The index of a stream's numbers has the same order: each event enters one less. The former version's sweep reads the whole outbox without it, until the last instance is replaced.
      drop index if exists weft.outbox_published;`,
  },
  {
    id: "weft.events/0009_outbox_rows_once",
    sql: `
      -- An event's row is written once. That it waits, or which number it has in its stream, is a narrow row beside it: a mark in the wide one would write
      -- that again with all its indexes. A relay of the former version stops here, since it misses its column; what its instance publishes is queued.
      alter index weft.outbox_pending rename to outbox_waiting;
      create table weft.outbox_pending (position bigint primary key) with (
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);
      create table weft.outbox_published (
        stream text not null,
        stream_sequence bigint not null,
        position bigint not null,
        published_at timestamptz not null default clock_timestamp()
      ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);
      create function weft.queue_outbox_event() returns trigger language plpgsql as $$
      begin
        insert into weft.outbox_pending values (new.position);
        return null;
      end $$;
      create trigger queue_outbox_event after insert on weft.outbox
        for each row execute function weft.queue_outbox_event();
      alter table weft.outbox rename column published_at to left_at;`,
  },
  {
    id: "weft.events/0010_outbox_rows_copied",
    sql: `
      -- Beside whoever publishes: nobody waits for this, however many events are kept.
      insert into weft.outbox_pending select position from weft.outbox where left_at is null on conflict do nothing;
      insert into weft.outbox_published
        select stream, stream_sequence, position, left_at from weft.outbox where left_at is not null;
      create index outbox_published_of_stream on weft.outbox_published (stream, stream_sequence);`,
  },
  {
    id: "weft.events/0011_no_outbox_marks",
    sql: `
      -- Takes a moment: the columns go, not what is in them.
      drop index weft.outbox_waiting, weft.outbox_of_stream;
      alter table weft.outbox drop column left_at, drop column stream_sequence;`,
  },
];

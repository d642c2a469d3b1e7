import { eventMigrations } from "@weft/events";
import type { Migration } from "@weft/store";

/** The publisher's database: what it is to do, and what it has done. */
export const sourceMigrations: readonly Migration[] = [
  ...eventMigrations,
  {
    id: "drill.source/0001_wish",
    sql: `
      -- A wish is granted by the attempt that committed: its event says so under the key, with the number.
      create table wish (
        n bigint generated always as identity primary key,
        key text not null,
        due timestamptz not null,
        attempt uuid,
        key_seq bigint,
        granted_at timestamptz
      );
      create index wish_due on wish (due, n) where attempt is null;
      -- Attempts that published and then thought better of it.
      create table rolled_back (attempt uuid primary key);
      -- Attempts that could not be made.
      create table failed (error text not null);`,
  },
];

/** The subscriber's database. Nothing in it keeps an effect from being there twice: that is the inbox's promise. */
export const sinkMigrations: readonly Migration[] = [
  ...eventMigrations,
  {
    id: "drill.sink/0001_effect",
    sql: `
      create table effect (
        n bigint generated always as identity primary key,
        attempt uuid not null,
        key text not null,
        key_seq bigint not null,
        done_at timestamptz not null default clock_timestamp()
      );
      -- Keys whose events can't be handled for now.
      create table refused (key text primary key);`,
  },
];

import { randomUUID } from "node:crypto";
import { eventMigrations } from "@weft/events";
import { commandMigrations, migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";
import { migrations, type OrderDatabase } from "../store/schema.ts";

export interface TestDatabase {
  readonly store: Store<OrderDatabase>;
  /** For another process or store that is to use it. */
  readonly url: string;
  /** Ends what a test left behind: rows of every table of this service, events and keyed commands included. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

/** A migrated database of a test file's own, on the PostgreSQL of DATABASE_URL, whose role may create databases. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = process.env.DATABASE_URL;
  if (!adminUrl) {
    throw new Error("DATABASE_URL is not set: run `npm test`, or name a PostgreSQL whose role may create databases");
  }
  const admin = openStore<object>({ url: adminUrl, application: "order-test", maxConnections: 1 });
  const name = `order_${randomUUID().replaceAll("-", "")}`;
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(admin.db);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const store = openStore<OrderDatabase>({ url: url.href, application: "order-test", maxConnections: 20 });
  await migrate(store, [...commandMigrations, ...eventMigrations, ...migrations]);
  return {
    store,
    url: url.href,
    async empty() {
      await sql`TRUNCATE orders, order_changes, order_timers, weft.commands, weft.outbox`.execute(store.db);
    },
    async drop() {
      await store.close();
      await sql`DROP DATABASE ${sql.id(name)} WITH (FORCE)`.execute(admin.db);
      await admin.close();
    },
  };
}

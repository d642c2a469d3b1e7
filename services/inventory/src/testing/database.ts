import { randomUUID } from "node:crypto";
import { eventMigrations } from "@weft/events";
import { commandMigrations, migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";
import { type InventoryDatabase, migrations } from "../store/schema.ts";

export interface TestDatabase {
  readonly store: Store<InventoryDatabase>;
  /** Its own, for a process that is to use it. */
  readonly url: string;
  drop(): Promise<void>;
}

/** A migrated database of its own on the PostgreSQL of DATABASE_URL, whose role may create databases. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = process.env.DATABASE_URL;
  if (!adminUrl) {
    throw new Error("DATABASE_URL is not set: run `npm test`, or name a PostgreSQL whose role may create databases");
  }
  const admin = openStore<object>({ url: adminUrl, application: "inventory-test", maxConnections: 1 });
  const name = `inventory_${randomUUID().replaceAll("-", "")}`;
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(admin.db);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const store = openStore<InventoryDatabase>({
    url: url.href,
    application: "inventory-test",
    maxConnections: 20,
    // A deadlock is to be seen, not to be tried again.
    maxAttempts: 1,
  });
  await migrate(store, [...commandMigrations, ...eventMigrations, ...migrations]);
  return {
    store,
    url: url.href,
    async drop() {
      await store.close();
      await sql`DROP DATABASE ${sql.id(name)} WITH (FORCE)`.execute(admin.db);
      await admin.close();
    },
  };
}

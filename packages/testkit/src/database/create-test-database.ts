import { randomBytes } from "node:crypto";
import { eventMigrations } from "@weft/events";
import { commandMigrations, type Migration, migrate, openStore, type Store, type StoreOptions } from "@weft/store";

/** A database of one test file's own; whoever created it drops it. */
export interface TestDatabase<DB> {
  readonly store: Store<DB>;
  /** For another store or process that is to use it. */
  readonly url: string;
  /** Leaves the tables and none of their rows, those of outbox, inbox and keyed commands included. */
  empty(): Promise<void>;
  /** Closes the store and drops the database, whoever else is still connected to it. */
  drop(): Promise<void>;
}

/**
 * A new database, migrated as runService migrates a service's, on the PostgreSQL server of DATABASE_URL, whose role may
 * create databases. `name` begins the database's name, and shows in pg_stat_activity. Rejects without DATABASE_URL.
 */
export async function createTestDatabase<DB>(
  name: string,
  migrations: readonly Migration[],
  options: Partial<StoreOptions> = {},
): Promise<TestDatabase<DB>> {
  const server = process.env.DATABASE_URL;
  if (!server) {
    throw new Error("DATABASE_URL is not set: run `npm test`, or name a PostgreSQL whose role may create databases");
  }
  const database = `${name}_${randomBytes(6).toString("hex")}`;
  await asAdministrator(server, `CREATE DATABASE "${database}"`);
  const drop = (): Promise<void> => asAdministrator(server, `DROP DATABASE "${database}" WITH (FORCE)`);
  const url = new URL(server);
  url.pathname = `/${database}`;
  const store = openStore<DB>({ url: url.href, application: `${name} test`, maxConnections: 20, ...options });
  try {
    await migrate(store, [...commandMigrations, ...eventMigrations, ...migrations]);
    const truncate = `TRUNCATE ${(await tablesOf(store)).join(", ")}`;
    return {
      store,
      url: url.href,
      async empty() {
        await store.pool.query(truncate);
      },
      async drop() {
        await store.close();
        await drop();
      },
    };
  } catch (error) {
    await store.close();
    await drop();
    throw error;
  }
}

/** All but the list of what was migrated. */
async function tablesOf<DB>({ pool }: Store<DB>): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND (schemaname, tablename) <> ('weft', 'migrations')`);
  return rows.map((row) => row.name);
}

async function asAdministrator(url: string, statement: string): Promise<void> {
  const store = openStore({ url, application: "test databases", maxConnections: 1 });
  try {
    await store.pool.query(statement);
  } finally {
    await store.close();
  }
}

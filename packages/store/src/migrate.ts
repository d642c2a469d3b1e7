import { inSpan } from "@weft/telemetry";
import type { ClientBase } from "pg";
import { type AppliedMigration, checksumOf, type Migration, planMigrations } from "./migration.ts";
import type { Store } from "./store.ts";

// "weft" and "mig" in ASCII: one lock for all instances on one database.
const lock = [0x77656674, 0x6d6967];

/**
 * Applies what is missing, each migration in a transaction of its own, in the order of the list. Several instances may
 * start at once: one migrates and the others wait. The lock belongs to a connection, so that a crash frees it.
 */
export function migrate<DB>(
  store: Store<DB>,
  migrations: readonly Migration[],
): Promise<{ readonly applied: string[] }> {
  return inSpan("migrate", {}, async () => {
    const client = await store.connect("migrate");
    try {
      await client.query("set statement_timeout = 0");
      await client.query("select pg_advisory_lock($1, $2)", lock);
      await client.query(`
        create schema if not exists weft;
        create table if not exists weft.migrations (
          id text primary key, checksum text not null, applied_at timestamptz not null default now())`);
      const pending = planMigrations(migrations, await readApplied(client));
      for (const migration of pending) await apply(client, migration);
      return { applied: pending.map(({ id }) => id) };
    } finally {
      await client.end();
    }
  });
}

/** What `migrate` would do now, without doing it. */
export async function migrationStatus<DB>(
  store: Store<DB>,
  migrations: readonly Migration[],
): Promise<{ readonly applied: readonly string[]; readonly pending: readonly string[] }> {
  const { rows } = await store.pool.query("select to_regclass('weft.migrations') is not null as present");
  const applied = rows[0].present
    ? (await store.pool.query<AppliedMigration>("select id, checksum from weft.migrations order by applied_at, id"))
        .rows
    : [];
  return {
    applied: applied.map(({ id }) => id),
    pending: planMigrations(migrations, applied).map(({ id }) => id),
  };
}

async function readApplied(client: ClientBase): Promise<AppliedMigration[]> {
  return (await client.query<AppliedMigration>("select id, checksum from weft.migrations")).rows;
}

async function apply(client: ClientBase, migration: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(migration.sql);
    await client.query("insert into weft.migrations (id, checksum) values ($1, $2)", [
      migration.id,
      checksumOf(migration),
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw new Error(`migration ${migration.id} failed: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

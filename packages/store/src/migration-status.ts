import type { ClientBase } from "pg";
import { type AppliedMigration, type Migration, MigrationError, type MigrationState, statesOf } from "./migration.ts";
import type { Store } from "./store.ts";

/**
 * Each migration, in the order in which they apply, and when it was applied; at the end what a newer version applied. Changes
 * nothing, and needs no more than to read. Throws a MigrationError where `migrate` would.
 */
export async function migrationStatus<DB>(
  store: Store<DB>,
  migrations: readonly Migration[],
): Promise<readonly MigrationState[]> {
  const { rows } = await store.pool.query("select to_regclass('weft.migrations') is not null as present");
  return statesOf(migrations, rows[0].present ? await readApplied(store.pool) : []);
}

/** Throws a MigrationError that names what is pending, for a process that must not migrate. */
export async function requireMigrated<DB>(store: Store<DB>, migrations: readonly Migration[]): Promise<void> {
  const states = await migrationStatus(store, migrations);
  const pending = states.flatMap(({ id, appliedAt }) => (appliedAt === undefined ? [id] : []));
  if (pending.length === 0) return;
  throw new MigrationError(`the database is behind, migrate it first. Pending: ${pending.join(", ")}`);
}

/** What was applied, in that order. */
export async function readApplied(client: Pick<ClientBase, "query">): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    `select id, checksum, applied_at as "appliedAt" from weft.migrations order by applied_at, id`,
  );
  return rows;
}

import { setTimeout as sleep } from "node:timers/promises";
import { inSpan, type Logger, silentLogger } from "@weft/telemetry";
import type { ClientBase } from "pg";
import { isLockTimeout } from "./errors.ts";
import { checksumOf, type Migration, MigrationError, planMigrations } from "./migration.ts";
import { readApplied } from "./migration-status.ts";
import type { Store } from "./store.ts";

// "weft" and "mig" in ASCII: one lock for all instances on one database.
const lock = [0x77656674, 0x6d6967];

export interface MigrateOptions {
  /** Told when another instance migrates and this one waits. */
  readonly logger?: Logger;
  /** Told of each migration that this instance applied. */
  readonly onApplied?: (id: string) => void;
  /**
   * Longest wait of a migration for a table that others use, in milliseconds; default 3,000. While it waits, everybody else
   * who wants the table waits behind it: so it gives way and tries again, `lockAttempts` times, 10 by default.
   */
  readonly lockTimeoutMs?: number;
  readonly lockAttempts?: number;
}

/**
 * Applies what is missing, each migration in a transaction of its own, in the order of the list. Several instances may
 * start at once: one migrates and the others wait. The lock belongs to a connection, so that a crash frees it: at once
 * when the process dies, also in the middle of a statement, and within half a minute when its machine does.
 */
export function migrate<DB>(
  store: Store<DB>,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<{ readonly applied: string[] }> {
  const { logger = silentLogger, onApplied = () => {}, lockTimeoutMs = 3_000, lockAttempts = 10 } = options;
  return inSpan("migrate", {}, async () => {
    const client = await store.connect("migrate");
    try {
      await prepareSession(client);
      await takeLock(client, logger);
      await client.query(`
        create schema if not exists weft;
        create table if not exists weft.migrations (
          id text primary key, checksum text not null, applied_at timestamptz not null default now())`);
      const pending = planMigrations(migrations, await readApplied(client));
      for (const migration of pending) {
        await applyInTurn(client, migration, lockTimeoutMs, lockAttempts);
        onApplied(migration.id);
      }
      return { applied: pending.map(({ id }) => id) };
    } finally {
      await client.end();
    }
  });
}

/**
 * Lets the server notice that we are gone while it works for us: it looks at the connection each second, and asks a silent
 * machine for a sign of life. Without, a statement of an hour would hold the lock of a dead process for an hour.
 */
async function prepareSession(client: ClientBase): Promise<void> {
  await client.query(`
    set statement_timeout = 0;
    set lock_timeout = 0;
    select set_config(name, setting, false)
    from (values ('client_connection_check_interval', '1000'), ('tcp_keepalives_idle', '10'),
      ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')) as wanted (name, setting)
    where exists (select from pg_settings where pg_settings.name = wanted.name)`);
}

async function takeLock(client: ClientBase, logger: Logger): Promise<void> {
  const { rows } = await client.query("select pg_try_advisory_lock($1, $2) as taken", lock);
  if (rows[0].taken) return;
  logger.info({}, "another instance migrates the database: waiting for it");
  await client.query("select pg_advisory_lock($1, $2)", lock);
}

async function applyInTurn(
  client: ClientBase,
  migration: Migration,
  lockTimeoutMs: number,
  lockAttempts: number,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await apply(client, migration, lockTimeoutMs);
    } catch (error) {
      if (!isLockTimeout(error)) throw failed(migration, error instanceof Error ? error.message : String(error), error);
      if (attempt >= lockAttempts) {
        const waited = `waited ${lockAttempts} times ${lockTimeoutMs} ms for a lock that others hold`;
        throw failed(migration, `${waited}. Look for long transactions in pg_stat_activity, then run it again`, error);
      }
      await sleep(lockTimeoutMs / 10);
    }
  }
}

async function apply(client: ClientBase, { id, sql }: Migration, lockTimeoutMs: number): Promise<void> {
  await client.query("begin");
  try {
    await client.query("select set_config('lock_timeout', $1, true)", [String(lockTimeoutMs)]);
    await client.query(sql);
    const values = [id, checksumOf({ id, sql })];
    await client.query("insert into weft.migrations (id, checksum) values ($1, $2)", values);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

function failed({ id }: Migration, why: string, cause: unknown): Error {
  return new MigrationError(`migration ${id} failed: ${why}`, { cause });
}

import { createHash } from "node:crypto";

/**
 * One step of a schema. Its id sorts within its set: "0001_users" is the service's own, "weft.events/0001_outbox" one of
 * the set "weft.events". Once released it never changes.
 */
export interface Migration {
  readonly id: string;
  readonly sql: string;
}

export interface AppliedMigration {
  readonly id: string;
  readonly checksum: string;
  readonly appliedAt: Date;
}

/** What a database says of a migration. */
export interface MigrationState {
  readonly id: string;
  /** Undefined while it is pending. */
  readonly appliedAt: Date | undefined;
  /** Whether this version has it; what it has not was applied by a newer one. */
  readonly known: boolean;
}

/** The migrations and the database don't fit together; the message says which and what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** SHA-256 of the SQL, indentation and blank lines aside. */
export function checksumOf(migration: Migration): string {
  const text = migration.sql
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
  return createHash("sha256").update(text).digest("hex");
}

/**
 * What is left to apply, in order. Refuses a migration that changed after it was applied, one that would go before an
 * applied one of its set, and an id twice. Applied ones that the list doesn't have are a newer instance's: they are fine.
 */
export function planMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const checksums = new Map(applied.map(({ id, checksum }) => [id, checksum]));
  const newest = new Map<string, string>();
  for (const { id } of applied) if (id > (newest.get(setOf(id)) ?? "")) newest.set(setOf(id), id);
  const seen = new Set<string>();
  const last = new Map<string, string>();
  return migrations.filter((migration) => {
    const { id } = migration;
    const set = setOf(id);
    if (seen.has(id)) throw new MigrationError(`migration ${id} is listed twice`);
    seen.add(id);
    const checksum = checksums.get(id);
    if (checksum !== undefined && checksum !== checksumOf(migration)) {
      throw new MigrationError(
        `migration ${id} was changed after it was applied: put it back as it was and add a new one`,
      );
    }
    if (id < (last.get(set) ?? "")) {
      throw new MigrationError(`migration ${id} is listed after ${last.get(set)}: ids must ascend within a set`);
    }
    last.set(set, id);
    if (checksum !== undefined) return false;
    if (id < (newest.get(set) ?? "")) {
      throw new MigrationError(
        `migration ${id} would go before ${newest.get(set)}, which is applied: give it a later number`,
      );
    }
    return true;
  });
}

/** All migrations as the database has them: the listed ones in their order, then those of a newer version. */
export function statesOf(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly MigrationState[] {
  planMigrations(migrations, applied);
  const times = new Map(applied.map(({ id, appliedAt }) => [id, appliedAt]));
  const listed = migrations.map(({ id }) => ({ id, appliedAt: times.get(id), known: true }));
  const ids = new Set(migrations.map(({ id }) => id));
  const others = applied.filter(({ id }) => !ids.has(id));
  return [...listed, ...others.map(({ id, appliedAt }) => ({ id, appliedAt, known: false }))];
}

function setOf(id: string): string {
  return id.includes("/") ? id.slice(0, id.lastIndexOf("/")) : "";
}

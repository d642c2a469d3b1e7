import type { Migration } from "@weft/store";
import { createTestDatabase, type TestDatabase } from "./create-test-database.ts";
import { recordStatements } from "./record-statements.ts";
import { type SequentialScan, sequentialScans } from "./sequential-scans.ts";

/** A test's database with the rows of years, and a memory of what it was asked. */
export interface LargeDatabase<DB> extends TestDatabase<DB> {
  /** Which of the statements that were run so far would read a large table whole. Throws when none was run. */
  sequentialScans(): Promise<readonly SequentialScan[]>;
}

/** `fill` is SQL that inserts: 100,000 rows by generate_series take a second. It is followed by ANALYZE, and not counted. */
export async function createLargeDatabase<DB>(
  name: string,
  migrations: readonly Migration[],
  fill: string,
): Promise<LargeDatabase<DB>> {
  const { options, statements } = recordStatements();
  const database = await createTestDatabase<DB>(name, migrations, { ...options, statementTimeoutMs: 120_000 });
  try {
    await database.store.pool.query(`${fill}; ANALYZE`);
  } catch (error) {
    await database.drop();
    throw error;
  }
  return {
    ...database,
    async sequentialScans() {
      if (statements.size === 0) throw new Error("the store ran no statement, so none could be looked at");
      return sequentialScans(database.store, statements);
    },
  };
}

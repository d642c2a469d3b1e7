import type { Store } from "@weft/store";

export interface SequentialScan {
  /** With its schema, such as "public.orders". */
  readonly table: string;
  readonly statement: string;
}

export interface SequentialScanOptions {
  /** A smaller table may be read whole; default 10,000 rows. */
  readonly minRows?: number;
}

/** What of EXPLAIN's JSON is looked at. */
interface PlanNode {
  readonly "Node Type": string;
  readonly Schema?: string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly PlanNode[];
}

/**
 * The statements that would read a large table from its beginning to its end. Each is planned as PostgreSQL plans a prepared
 * statement, for whatever values; none is run. What counts are the rows that the last ANALYZE found: fill the tables, then run it.
 */
export async function sequentialScans(
  { pool }: Pick<Store<unknown>, "pool">,
  statements: Iterable<string>,
  { minRows = 10_000 }: SequentialScanOptions = {},
): Promise<readonly SequentialScan[]> {
  const large = await tablesAbove(pool, minRows);
  const found: SequentialScan[] = [];
  for (const statement of statements) {
    if (!/^\s*(select|insert|update|delete|merge|with)\b/i.test(statement)) continue;
    const { rows } = await pool.query<{ "QUERY PLAN": readonly [{ readonly Plan: PlanNode }] }>(
      `EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) ${statement}`,
    );
    const tables = rows.flatMap((row) => scannedBy(row["QUERY PLAN"][0].Plan));
    for (const table of new Set(tables)) if (large.has(table)) found.push({ table, statement });
  }
  return found;
}

function scannedBy(node: PlanNode): readonly string[] {
  const own = node["Node Type"] === "Seq Scan" ? [`${node.Schema}.${node["Relation Name"]}`] : [];
  return [...own, ...(node.Plans ?? []).flatMap(scannedBy)];
}

async function tablesAbove(pool: Store<unknown>["pool"], minRows: number): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relnamespace::regnamespace || '.' || relname AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND reltuples >= $1 AND relnamespace::regnamespace::text NOT LIKE 'pg\\_%'`,
    [minRows],
  );
  return new Set(rows.map(({ name }) => name));
}

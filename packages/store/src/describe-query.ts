/** What a statement does, in the words of the semantic conventions for database spans. */
export interface QueryDescription {
  /** "SELECT", "INSERT", "COMMIT", … */
  readonly operation: string;
  /** The first table that the statement names, schema included. */
  readonly collection: string | undefined;
}

const statement =
  /\b(select|insert|update|delete|merge|begin|start|commit|rollback|savepoint|release|lock|listen|notify)\b/i;
const table = /\b(?:from|into|update|join)\s+(?:only\s+)?"?(\w+)"?(?:\."?(\w+)"?)?/i;
const described = new Map<string, QueryDescription>();
const remembered = 2_000;

/** Reads operation and table off the text of a parametrised statement. */
export function describeQuery(sql: string): QueryDescription {
  const known = described.get(sql);
  if (known) return known;
  const operation = statement.exec(sql)?.[1]?.toUpperCase() ?? sql.trim().split(/\s/, 1)[0]?.toUpperCase() ?? "QUERY";
  const [, first, second] = table.exec(sql) ?? [];
  const description = { operation, collection: second === undefined ? first : `${first}.${second}` };
  if (described.size < remembered) described.set(sql, description);
  return description;
}

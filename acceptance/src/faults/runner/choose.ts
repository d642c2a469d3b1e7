import type { Row } from "./row.ts";

/** The rows that a list of names chooses, in their own order; all without one. Throws, naming what there is, for a name of none. */
export function chooseRows(rows: readonly Row[], only: string | undefined): readonly Row[] {
  if (only === undefined) return rows;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length === 0) return rows.filter(({ name }) => names.includes(name));
  throw new Error(`There is no row "${unknown.join('", "')}": ${rows.map(({ name }) => name).join(", ")} are.`);
}

/** The value of the first field of this name in a flat list; undefined where there is none. */
export function fieldValue(fields: readonly string[], name: string, start = 0): string | undefined {
  for (let i = start; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

/** A part of a diff: lines that are there, and what they become. */
interface Hunk {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What a diff block changes. Line numbers are not looked at: the lines themselves say where. */
export interface Change {
  readonly file: string;
  readonly hunks: readonly Hunk[];
}

/** Reads `--- file`, `+++ file` and hunks that each begin with `@@`. Throws an Error that says what is wrong. */
export function parseDiff(text: string): readonly Change[] {
  const changes: { file: string; hunks: { before: string[]; after: string[] }[] }[] = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const change = changes.at(-1);
    const hunk = change?.hunks.at(-1);
    if (line.startsWith("--- ")) continue;
    if (line.startsWith("+++ ")) changes.push({ file: line.slice(4).trim(), hunks: [] });
    else if (change === undefined) throw new Error("a diff begins with --- and +++, and the file's path");
    else if (line.startsWith("@@")) change.hunks.push({ before: [], after: [] });
    else if (hunk === undefined) throw new Error("a hunk begins with @@");
    else if (line.startsWith("+")) hunk.after.push(line.slice(1));
    else if (line.startsWith("-")) hunk.before.push(line.slice(1));
    else {
      // A context line; an empty one may have lost its space.
      hunk.before.push(line.slice(1));
      hunk.after.push(line.slice(1));
    }
  }
  return changes;
}

/** The file's content with the change made. Throws an Error when a hunk's lines are not there, or are there more than once. */
export function applyChange({ file, hunks }: Change, content: string): string {
  let lines = content.split("\n");
  for (const { before, after } of hunks) {
    const places = lines.flatMap((_, at) => (before.every((line, i) => lines[at + i] === line) ? [at] : []));
    const shown = before.join("\n");
    if (before.length === 0) throw new Error(`a hunk for ${file} has no line that says where it belongs`);
    if (places.length === 0) throw new Error(`${file} has no such lines:\n${shown}`);
    if (places.length > 1)
      throw new Error(`${file} has these lines ${places.length} times: add more of them\n${shown}`);
    lines = lines.toSpliced(places[0] as number, before.length, ...after);
  }
  return lines.join("\n");
}

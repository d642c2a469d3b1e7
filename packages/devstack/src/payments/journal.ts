import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";

/** An append-only file of JSON lines: what it returned from `append` is there after a kill -9. */
export interface Journal<T> {
  readonly entries: readonly T[];
  append(entry: T): void;
}

export function openJournal<T>(folder: string, name: string): Journal<T> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  // A line without its end was being written when the process was killed: its caller got no answer.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
  const entries = whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
  return {
    entries,
    append(entry) {
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
      entries.push(entry);
    },
  };
}

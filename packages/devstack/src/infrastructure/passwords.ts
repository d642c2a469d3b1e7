import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the passwords of a data folder are. */
export function passwordFile(dataDir: string): string {
  return join(dataDir, "passwords.json");
}

/** The password of each name, made at its first use and kept in `file`, so that a URL stays good over starts. */
export function keptPasswords(file: string, names: readonly string[]): Readonly<Record<string, string>> {
  let kept: Record<string, string> = {};
  try {
    kept = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  } catch {
    // The first start.
  }
  const missing = names.filter((name) => kept[name] === undefined);
  if (missing.length === 0) return kept;
  for (const name of missing) kept[name] = randomBytes(18).toString("hex");
  writeFileSync(file, JSON.stringify(kept, null, 2), { mode: 0o600 });
  return kept;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Migration, migrate, openStore } from "../index.ts";

/** A process of its own that migrates a database and ends. */
export function startMigrating(url: string, migrations: readonly Migration[]): ChildProcess {
  const args = ["--conditions=source", fileURLToPath(import.meta.url), url, JSON.stringify(migrations)];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** How many migrations the process applied. Rejects when it failed. */
export async function appliedBy(child: ChildProcess): Promise<number> {
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the migrating process ended with ${code}`);
  return Number(output);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = "", migrations = "[]"] = process.argv.slice(2);
  const store = openStore({ url, application: "migrating-process" });
  const { applied } = await migrate(store, JSON.parse(migrations) as Migration[]);
  await store.close();
  process.stdout.write(String(applied.length));
}

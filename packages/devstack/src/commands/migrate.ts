import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runForeground } from "../foreground.ts";
import { onInterrupt } from "../interrupt.ts";
import { runningSupervisor } from "../process/ledger.ts";
import type { StackRecord } from "../stack.ts";

const ACTIONS = ["status", "up"];

/**
 * `weft migrate status|up`: what each service's own program says or does about its database in the running dev stack. Only
 * PostgreSQL has to be there: a service that doesn't start can be migrated. Its exit code is 1 when one of theirs is.
 */
export async function migrate(root: string, args: readonly string[], say: (text: string) => void): Promise<number> {
  const options = { only: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [action = ""] = positionals;
  if (positionals.length !== 1 || !ACTIONS.includes(action)) {
    throw new Error("say what to do: migrate status, or migrate up; with --only=a,b for some services");
  }
  const urls = chooseDatabases(databasesOfStack(join(root, ".weft")), values.only);
  const interrupt = onInterrupt(() => process.exit(interrupt.exitCode()));
  let code = 0;
  for (const [service, url] of urls) {
    if (interrupt.signal.aborted) break;
    say(service);
    const program = [process.execPath, "--conditions=source", join(root, "services", service, "src", "main.ts")];
    const env = { ...process.env, DATABASE_URL: url };
    if ((await runForeground([...program, "migrate", action], env, root, interrupt.signal)) !== 0) code = 1;
  }
  interrupt.dispose();
  return interrupt.exitCode() || code;
}

/** The databases by service, as the running stack has written them down. */
function databasesOfStack(dataDir: string): ReadonlyMap<string, string> {
  const supervisor = runningSupervisor(dataDir);
  if (supervisor === undefined) {
    throw new Error(
      "No dev stack runs, so there is no database to migrate: start one with `npm run dev`. For a database elsewhere: " +
        "DATABASE_URL=postgres://… node --conditions=source services/order/src/main.ts migrate status",
    );
  }
  const record = readRecord(join(dataDir, "dev.json"));
  if (record?.pid !== supervisor.pid) throw new Error("The dev stack is still starting its infrastructure: try again.");
  return new Map(
    Object.entries(record.services).flatMap(([name, { databaseUrl }]) =>
      databaseUrl === undefined ? [] : [[name, databaseUrl] as const],
    ),
  );
}

function readRecord(file: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as StackRecord;
  } catch {
    return undefined;
  }
}

function chooseDatabases(all: ReadonlyMap<string, string>, only: string | undefined): ReadonlyMap<string, string> {
  if (only === undefined) return all;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length === 0) return new Map([...all].filter(([name]) => names.includes(name)));
  throw new Error(`No service "${unknown.join('", "')}" has a database here. ${[...all.keys()].join(", ")} have.`);
}

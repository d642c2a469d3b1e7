import { type Migration, type MigrationState, migrate, migrationStatus, openStore, type Store } from "@weft/store";
import { silentLogger } from "@weft/telemetry";
import { type Environment, readSettings, serviceSettings } from "./settings.ts";

export interface MigrateCommandOptions {
  /** The service's. */
  readonly name: string;
  readonly migrations: readonly Migration[];
  /** `migrate status` or `migrate up`. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Default: stdout, with a line break. */
  readonly print?: (line: string) => void;
  /** Where a problem goes. Default: stderr. */
  readonly complain?: (line: string) => void;
}

/**
 * Migrates a service's database, or says where it stands, and does nothing else: a job before a deployment. Needs
 * DATABASE_URL alone. Resolves with the exit code: 0, or 1 after one line that says what is wrong.
 */
export async function migrateCommand(options: MigrateCommandOptions): Promise<number> {
  const { name, migrations, args, env } = options;
  const print = options.print ?? ((line) => void process.stdout.write(`${line}\n`));
  const complain = options.complain ?? ((line) => void process.stderr.write(`${line}\n`));
  let store: Store<unknown> | undefined;
  try {
    const [command, action] = args;
    if (command !== "migrate" || args.length !== 2 || (action !== "status" && action !== "up")) {
      throw new Error(
        `there is no "${args.join(" ")}": without arguments the service runs; else migrate status, migrate up`,
      );
    }
    const { DATABASE_URL: url } = readSettings(serviceSettings.pick({ DATABASE_URL: true }), env);
    store = openStore({ url, application: name });
    if (action === "status") for (const line of statusLines(await migrationStatus(store, migrations))) print(line);
    else await up(store, migrations, print);
    return 0;
  } catch (error) {
    complain(`${name}: ${oneLine(error)}`);
    return 1;
  } finally {
    await store?.close();
  }
}

async function up(store: Store<unknown>, migrations: readonly Migration[], print: (line: string) => void) {
  const logger = { ...silentLogger, info: (_fields: object, message: string) => print(message) };
  const { applied } = await migrate(store, migrations, { logger, onApplied: (id) => print(`${id} applied`) });
  if (applied.length === 0) print("nothing is pending");
}

function statusLines(states: readonly MigrationState[]): readonly string[] {
  const width = Math.max(...states.map(({ id }) => id.length));
  return states.map(({ id, appliedAt, known }) => {
    const state = appliedAt === undefined ? "pending" : `applied ${appliedAt.toISOString()}`;
    return `${id.padEnd(width)}  ${state}${known ? "" : " by a newer version"}`;
  });
}

/** A refused connection to several addresses has its reasons inside and no message of its own. */
function oneLine(error: unknown): string {
  const reasons = error instanceof AggregateError && error.message === "" ? error.errors : [error];
  const messages = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  return messages.join(", ").replaceAll(/\s*\n\s*/g, " ");
}

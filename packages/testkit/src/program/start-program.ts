import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProgramOptions {
  /** The TypeScript file that is run. */
  readonly entry: string;
  /** Answers GET once the program is ready. */
  readonly readyPath: string;
  /** Variables that get a free port each, besides HTTP_PORT. */
  readonly ports?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs as a process of a test's own. */
export interface RunningProgram {
  /** Where its HTTP_PORT is. */
  readonly url: string;
  /** The ports it was given, by variable. */
  readonly ports: Readonly<Record<string, number>>;
  /** The JSON that it answers to GET. */
  get<T>(path: string): Promise<T>;
  /** Ends the process and removes its DATA_DIR. */
  stop(): Promise<void>;
}

/**
 * Runs a program that a service talks to (a payment provider, a mail server) as `npm run dev` does: HTTP_PORT and DATA_DIR
 * in its environment, here a free port and a folder of its own. Rejects when it ends before it is ready.
 */
export async function startProgram({ entry, readyPath, ports = [], env }: ProgramOptions): Promise<RunningProgram> {
  const name = basename(dirname(entry));
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const given = Object.fromEntries(await freePorts(["HTTP_PORT", ...ports]));
  const variables = Object.fromEntries(Object.entries(given).map(([variable, port]) => [variable, `${port}`]));
  const child = spawn(process.execPath, ["--conditions=source", entry], {
    env: { ...process.env, ...variables, DATA_DIR: folder, ...env },
    stdio: "inherit",
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${given.HTTP_PORT}`;
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T;
  while (!(await get(readyPath).catch(() => undefined))) {
    if (child.exitCode !== null) {
      await rm(folder, { recursive: true, force: true });
      throw new Error(`${name} ended with ${child.exitCode} before it was ready: ${entry}`);
    }
    await sleep(20);
  }
  return {
    url,
    ports: given,
    get,
    async stop() {
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** All held at once, so that no two are the same. */
async function freePorts(variables: readonly string[]): Promise<[variable: string, port: number][]> {
  const servers = variables.map(() => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, "close");
    }),
  );
  return variables.map((variable, i) => [variable, ports[i] ?? 0]);
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Load, Measured } from "./load.ts";

/** A server and its client, a process each. */
export interface Pair {
  readonly port: number;
  /** What the client's process holds and what the server's does, in MiB. */
  memory(): readonly number[];
  perform(load: Load): Promise<Measured>;
  close(): Promise<void>;
}

export async function startPair(variant: string): Promise<Pair> {
  const server = start("server.ts", variant);
  const address = (await next(server)) as { readonly port: number };
  const client = start("client.ts", variant, JSON.stringify(address));
  await next(client);
  return {
    ...pairOf(client, server),
    port: address.port,
    async perform(load) {
      client.send(load);
      return (await next(client)) as Measured;
    },
  };
}

/** A server, and a client that has opened so many connections to it. */
export async function startIdle(variant: string, connections: number): Promise<Pick<Pair, "memory" | "close">> {
  const server = start("server.ts", variant);
  const client = start("idle-client.ts", JSON.stringify(await next(server)), String(connections));
  await next(client);
  return pairOf(client, server);
}

function pairOf(client: ChildProcess, server: ChildProcess): Pick<Pair, "memory" | "close"> {
  return {
    memory: () => [client, server].map(({ pid }) => residentMiB(pid ?? 0)),
    async close() {
      for (const process of [client, server]) {
        const ended = once(process, "exit");
        process.disconnect();
        await ended;
      }
    },
  };
}

function start(file: string, ...args: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, file), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

async function next(process: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    return await Promise.race([
      once(process, "message", { signal: over.signal }).then(([message]) => message),
      once(process, "exit", { signal: over.signal }).then(([code]) => {
        throw new Error(`a process of the benchmark ended with ${code}`);
      }),
    ]);
  } finally {
    over.abort();
  }
}

function residentMiB(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kib) / 1024);
}

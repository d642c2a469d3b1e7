import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Load, Measured } from "./load.ts";

/** A server and its client, a process each. */
export interface Pair {
  readonly port: number;
  /** Of the client's process and the server's. */
  readonly pids: readonly number[];
  perform(load: Load): Promise<Measured>;
  close(): Promise<void>;
}

export async function startPair(variant: string): Promise<Pair> {
  const server = start("server.ts", variant);
  const address = (await next(server)) as { readonly port: number };
  const client = start("client.ts", variant, JSON.stringify(address));
  await next(client);
  return {
    port: address.port,
    pids: [client.pid ?? 0, server.pid ?? 0],
    async perform(load) {
      client.send(load);
      return (await next(client)) as Measured;
    },
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

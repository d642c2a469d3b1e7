import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { Load, Measured } from "./load.ts";

/** A server and its client, a process each. */
export interface Pair {
  readonly port: number;
  /** What the client's process holds and what the server's does, in MiB. */
  memory(): readonly number[];
  /** What both have computed so far, in milliseconds of one core. */
  computed(): number;
  perform(load: Load): Promise<Measured>;
  close(): Promise<void>;
}

export async function startPair(variant: string): Promise<Pair> {
  const { child: server, said } = await startChild(program("server.ts"), variant);
  const address = said as { readonly port: number };
  const { child: client } = await startChild(program("client.ts"), variant, JSON.stringify(address));
  return {
    ...pairOf(client, server),
    port: address.port,
    perform: async (load) => (await client.ask(load)) as Measured,
  };
}

/** A server, and a client that has opened so many connections to it. */
export async function startIdle(variant: string, connections: number): Promise<Pick<Pair, "memory" | "close">> {
  const { child: server, said } = await startChild(program("server.ts"), variant);
  const { child: client } = await startChild(program("idle-client.ts"), JSON.stringify(said), String(connections));
  return pairOf(client, server);
}

function pairOf(client: Child, server: Child): Pick<Pair, "memory" | "computed" | "close"> {
  return {
    memory: () => [client, server].map((child) => child.memory()),
    computed: () => client.computed() + server.computed(),
    async close() {
      await client.close();
      await server.close();
    },
  };
}

function program(file: string): string {
  return join(import.meta.dirname, file);
}

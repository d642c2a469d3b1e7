import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";

export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** For the test's own commands. */
  readonly client: Redis;
  kill(): Promise<void>;
}

/** A redis-server of one's own that keeps nothing on disk; resolves when it answers. */
export async function startRedis(port?: number, options: readonly string[] = []): Promise<PrivateRedis> {
  const chosen = port ?? (await freePort());
  const args = ["--port", `${chosen}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...options];
  const server = spawn("redis-server", args, { stdio: "ignore" });
  const exited = once(server, "exit");
  const url = `redis://127.0.0.1:${chosen}`;
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  await client.ping();
  return {
    url,
    port: chosen,
    pid: server.pid,
    client,
    async kill() {
      client.disconnect();
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill("SIGKILL");
      await exited;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

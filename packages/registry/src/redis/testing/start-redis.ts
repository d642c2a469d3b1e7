import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
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

/** Below the range that outgoing connections take their ports from: whoever is killed and started again finds its own still free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { eventually } from "../../conformance.ts";
import { freePort, type PrivateRedis, startRedis } from "./start-redis.ts";

/** A master, its replica and three Sentinels that watch them, each a process. */
export interface SentinelRedis {
  /** As REDIS_URL names it. */
  readonly url: string;
  readonly ports: readonly number[];
  readonly master: PrivateRedis;
  readonly replica: PrivateRedis;
  /** Resolves when the Sentinels have made the replica the master. */
  failedOver(): Promise<void>;
  close(): Promise<void>;
}

const name = "weft";

export async function startSentinels(): Promise<SentinelRedis> {
  const folder = await mkdtemp(join(tmpdir(), "weft-sentinels-"));
  // What they copy from each other passes through a file.
  const file = (name: string) => ["--dir", folder, "--dbfilename", name];
  const master = await startRedis(undefined, file("master.rdb"));
  const replica = await startRedis(undefined, [...file("replica.rdb"), "--replicaof", "127.0.0.1", `${master.port}`]);
  await eventually(async () => {
    if (!(await replica.client.info("replication")).includes("master_link_status:up")) throw new Error("not linked");
  });
  const ports = [await freePort(), await freePort(), await freePort()];
  const processes = await Promise.all(ports.map((port) => startSentinel(folder, port, master.port)));
  const asked = ports.map((port) => new Redis(port, "127.0.0.1", { maxRetriesPerRequest: null }));
  for (const sentinel of asked) sentinel.on("error", () => {});
  // Each has to know of the other two and of the replica before it can take part in a failover.
  await Promise.all(
    asked.map((sentinel) =>
      eventually(async () => {
        const state = await sentinel.info("sentinel");
        if (!state.includes("slaves=1,sentinels=3")) throw new Error(`the Sentinels have not met: ${state}`);
      }, 30_000),
    ),
  );
  return {
    url: sentinelUrl(...ports),
    ports,
    master,
    replica,
    failedOver: () =>
      eventually(async () => {
        if (!(await replica.client.info("replication")).includes("role:master")) throw new Error("still a replica");
      }, 30_000),
    async close() {
      for (const sentinel of asked) sentinel.disconnect();
      await Promise.all(processes.map(end));
      await Promise.all([master.kill(), replica.kill()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function sentinelUrl(...ports: readonly number[]): string {
  return `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${name}`;
}

/** A Sentinel writes what it learns into its own configuration. */
async function startSentinel(folder: string, port: number, masterPort: number): Promise<ChildProcess> {
  const file = join(folder, `${port}.conf`);
  const lines = [
    ...[`port ${port}`, "bind 127.0.0.1", `dir ${folder}`],
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
    ...[`sentinel down-after-milliseconds ${name} 1000`, `sentinel failover-timeout ${name} 5000`],
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return spawn("redis-server", [file, "--sentinel"], { stdio: "ignore" });
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, "exit");
  process.kill("SIGKILL");
  await exited;
}

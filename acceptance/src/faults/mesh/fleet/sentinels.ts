import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../../until.ts";
import type { Ground } from "../../runner/row.ts";
import { createRedis, freePort, launch, type RedisServer, redisCommand } from "./redis.ts";

/** A master, its replica and three Sentinels that watch them, a process each. */
export interface SentinelRedis {
  /** As REDIS_URL names it. */
  readonly url: string;
  readonly master: RedisServer;
  /** Resolves when the replica is the master. */
  failedOver(): Promise<void>;
}

const name = "weft";

export async function startSentinels(ground: Ground): Promise<SentinelRedis> {
  const folder = ground.folder();
  // What they copy from each other passes through a file.
  const master = await createRedis(folder, ["--dbfilename", "master.rdb"]);
  const replica = await createRedis(folder, [
    "--dbfilename",
    "replica.rdb",
    "--replicaof",
    "127.0.0.1",
    `${master.port}`,
  ]);
  for (const server of [master, replica]) {
    ground.atEnd(() => server.kill());
    await server.start();
  }
  const says = (port: number, section: string, text: string) => async (): Promise<true | undefined> =>
    (await redisCommand(port, ["INFO", section]).catch(() => "")).includes(text) ? true : undefined;
  await until("the replica's link", says(replica.port, "replication", "master_link_status:up"));
  const ports = [await freePort(), await freePort(), await freePort()];
  for (const port of ports) startSentinel(ground, folder, port, master.port);
  // Each has to know of the other two and of the replica before it can take part in a failover.
  for (const port of ports)
    await until("the Sentinels' meeting", says(port, "sentinel", "slaves=1,sentinels=3"), 30_000);
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${name}`,
    master,
    failedOver: async () =>
      void (await until("the failover", says(replica.port, "replication", "role:master"), 60_000)),
  };
}

/** A Sentinel writes what it learns into its own configuration. */
function startSentinel(ground: Ground, folder: string, port: number, masterPort: number): void {
  const file = join(folder, `${port}.conf`);
  const lines = [
    ...[`port ${port}`, "bind 127.0.0.1", `dir ${folder}`],
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
    ...[`sentinel down-after-milliseconds ${name} 1000`, `sentinel failover-timeout ${name} 5000`],
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const sentinel = launch([file, "--sentinel"]);
  sentinel.on("error", () => {});
  ground.atEnd(() => void sentinel.kill("SIGKILL"));
}

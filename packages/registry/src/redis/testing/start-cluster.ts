import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../conformance.ts";
import { freePort, type PrivateRedis, startRedis } from "./start-redis.ts";

/** A Cluster of masters that share the slots, and as many replicas, each a process. */
export interface ClusterRedis {
  /** As REDIS_URL names it: the masters. */
  readonly url: string;
  readonly masters: readonly PrivateRedis[];
  readonly replicas: readonly PrivateRedis[];
  /** The master that has a key's slot. */
  masterOf(key: string): Promise<PrivateRedis>;
  /** Resolves when every node that answers says that all slots are served. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

const slots = 16_384;

export async function startCluster({ replicas: copies }: { readonly replicas: 0 | 1 }): Promise<ClusterRedis> {
  const folder = await mkdtemp(join(tmpdir(), "weft-redis-cluster-"));
  const start = async (name: string) => {
    const [port, bus] = [await freePort(), await freePort()];
    const node = await startRedis(port, [
      ...["--cluster-enabled", "yes", "--cluster-config-file", `${name}.conf`, "--cluster-node-timeout", "1000"],
      // A replica that asks for a copy isn't kept waiting for others that may ask too.
      ...["--repl-diskless-sync-delay", "0"],
      ...["--cluster-port", `${bus}`, "--dir", folder, "--dbfilename", `${name}.rdb`],
    ]);
    return { node, bus };
  };
  const started = [];
  for (let i = 0; i < 3 * (1 + copies); i++) started.push(await start(`node-${i}`));
  const nodes = started.map(({ node }) => node);
  const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)];

  for (const [i, { client }] of masters.entries()) {
    const [from, to] = [Math.floor((i * slots) / 3), Math.floor(((i + 1) * slots) / 3) - 1];
    await client.call("CLUSTER", "ADDSLOTSRANGE", from, to);
  }
  for (const { node, bus } of started) await masters[0]?.client.call("CLUSTER", "MEET", "127.0.0.1", node.port, bus);
  const infoOf = async ({ client }: PrivateRedis) => String(await client.call("CLUSTER", "INFO"));
  const alive = () => nodes.filter(({ client }) => client.status === "ready");
  const whole = () =>
    eventually(async () => {
      for (const node of alive()) {
        const info = await infoOf(node);
        if (!info.includes("cluster_state:ok") || !info.includes(`cluster_known_nodes:${nodes.length}`))
          throw new Error(`the Cluster is not whole: ${info}`);
      }
    }, 30_000);
  await whole();
  await Promise.all(
    replicas.map(async (replica, i) => {
      const id = await masters[i]?.client.call("CLUSTER", "MYID");
      await eventually(async () => void (await replica.client.call("CLUSTER", "REPLICATE", String(id))), 30_000);
      await eventually(async () => {
        const state = await replica.client.info("replication");
        if (!state.includes("master_link_status:up")) throw new Error("not linked");
      }, 30_000);
    }),
  );
  return {
    url: clusterUrl(masters),
    masters,
    replicas,
    async masterOf(key) {
      const slot = Number(await alive()[0]?.client.call("CLUSTER", "KEYSLOT", key));
      return masters[Math.floor((slot * 3) / slots)] as PrivateRedis;
    },
    whole,
    async close() {
      await Promise.all(nodes.map((node) => node.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function clusterUrl(nodes: readonly PrivateRedis[]): string {
  return `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
}

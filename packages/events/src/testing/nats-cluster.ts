import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type NatsProcess, startNatsProcess } from "./nats-server.ts";

/** One server of a cluster, which keeps its ports and data over kills and starts. */
export interface TestNatsNode {
  /** As JetStream calls it, for instance as a stream's leader. */
  readonly name: string;
  /** Resolves when the node has caught up with the others; needs a majority of them. */
  start(): Promise<void>;
  /** Resolves when the process is gone. SIGTERM is a farewell, SIGKILL (the default) none. */
  kill(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Three nats-servers of a test's own. */
export interface TestNatsCluster {
  /** All nodes, as NATS_URL lists them. */
  readonly url: string;
  readonly nodes: readonly TestNatsNode[];
  node(name: string | undefined): TestNatsNode;
  close(): Promise<void>;
}

export async function startNatsCluster(): Promise<TestNatsCluster> {
  const folder = await mkdtemp(join(tmpdir(), "weft-nats-cluster-"));
  const seats = await Promise.all(
    ["a", "b", "c"].map(async (name) => ({
      name,
      client: await freePort(),
      route: await freePort(),
      monitor: await freePort(),
    })),
  );
  const routes = seats.map(({ route }) => `nats://127.0.0.1:${route}`).join(",");
  const nodes = seats.map(({ name, client, route, monitor }): TestNatsNode => {
    let running: NatsProcess | undefined;
    return {
      name,
      async start() {
        running = await startNatsProcess([
          ...["-a", "127.0.0.1", "-p", `${client}`, "-m", `${monitor}`, "-n", name, "-js", "-sd", join(folder, name)],
          ...["-cluster_name", "test", "-cluster", `nats://127.0.0.1:${route}`, "-routes", routes],
        ]);
        await caughtUp(monitor, running);
      },
      async kill(signal = "SIGKILL") {
        const ending = running;
        running = undefined;
        if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
        const exit = once(ending, "exit");
        ending.kill(signal);
        await exit;
      },
    };
  });
  await Promise.all(nodes.map((node) => node.start()));
  return {
    url: seats.map(({ client }) => `nats://127.0.0.1:${client}`).join(","),
    nodes,
    node(name) {
      const found = nodes.find((node) => node.name === name);
      if (!found) throw new Error(`there is no node ${name}`);
      return found;
    },
    async close() {
      await Promise.all(nodes.map((node) => node.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The server's own health check, which an orchestrator asks before it restarts the next node. */
async function caughtUp(monitor: number, server: NatsProcess): Promise<void> {
  while (server.exitCode === null && server.signalCode === null) {
    const answer = await fetch(`http://127.0.0.1:${monitor}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the node ended before it had caught up");
}

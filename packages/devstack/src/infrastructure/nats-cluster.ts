import { choosePort } from "../process/ports.ts";
import { findProgramOf } from "./find-server.ts";
import type { Ground, Part } from "./part.ts";
import { startProgram, waitForGreeting } from "./program.ts";
import { folder, nats } from "./servers.ts";

/** A part of several servers: what is done to it is done to all of them. */
export interface Cluster extends Part {
  /** All addresses, with commas between. */
  readonly url: string;
  /** The first node's. */
  readonly pid: number | undefined;
  /** Each can be killed and started alone. A start resolves when the node has caught up, for which it needs a majority. */
  readonly nodes: readonly Part[];
}

/** Enough to lose one and go on. */
export const clusterSize = 3;

/** Near NATS's own preferred port, which the first node takes. */
const ROUTE_PORT = 24232;
const MONITOR_PORT = 24242;

/**
 * Three NATS servers of this machine that keep streams together; each has a data folder, a log and ports of its own, and keeps
 * them. Rejects where there is no program nats-server: neither the environment's server nor a container is made a cluster.
 */
export async function startNatsCluster(ground: Ground): Promise<Cluster> {
  const { program, source } = await findProgramOf(nats, ground);
  ground.say(`NATS: a cluster of ${clusterSize}, ${program}`);
  const numbers = Array.from({ length: clusterSize }, (_, index) => index);
  const port = (first: number, index: number) => choosePort(ground.ports === "dev" ? first + index : undefined);
  const routePorts = await Promise.all(numbers.map((index) => port(ROUTE_PORT, index)));
  const routes = routePorts.map((route) => `nats://127.0.0.1:${route}`);
  const results = await Promise.allSettled(
    numbers.map(async (index) => {
      const name = `nats-${index + 1}`;
      const monitor = await port(MONITOR_PORT, index);
      return startProgram(ground, {
        name,
        source,
        preferredPort: nats.preferredPort + index,
        url: nats.url,
        launch: (client) => ({
          command: program,
          args: [
            ...["-a", "127.0.0.1", "-p", `${client}`, "-m", `${monitor}`, "-n", name, "-js"],
            ...["-sd", folder(ground.dataDir, name), "-cluster_name", "weft"],
            ...["-cluster", routes[index] as string, "-routes", routes.join(",")],
          ],
          orphan: "SIGTERM",
        }),
        // What it answers only when it is part of a majority and its streams are up to date.
        serves: (_client, _child, signal) =>
          waitForGreeting(monitor, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200", signal),
      });
    }),
  );
  const nodes = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await Promise.all(nodes.map((node) => node.stop()));
    throw failure.reason;
  }
  return clusterOf(nodes, source);
}

function clusterOf(nodes: readonly Part[], source: Part["source"]): Cluster {
  const all = async (act: (node: Part) => Promise<void>) => void (await Promise.all(nodes.map(act)));
  return {
    name: "nats",
    source,
    url: nodes.map(({ url }) => url).join(","),
    nodes,
    get pid() {
      return nodes[0]?.pid;
    },
    get ready() {
      return all((node) => node.ready);
    },
    start: () => all((node) => node.start()),
    stop: () => all((node) => node.stop()),
    kill: (signal) => all((node) => node.kill(signal)),
  };
}

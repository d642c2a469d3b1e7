import { createMesh } from "@weft/service";
import { createForwarder, type Forwarder } from "../forward/index.ts";
import { type Edge, startEdge } from "../http/edge.ts";
import { publicServices } from "../public-services.ts";

export interface RunningEdge {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly edge: Edge;
  readonly forwarder: Forwarder;
  /** Errors whose words stayed inside. */
  readonly hidden: unknown[];
  close(): Promise<void>;
}

/** The gateway's HTTP port in front of one server a service; a service that isn't named has none. */
export async function openEdge(servers: ReadonlyMap<string, { host: string; port: number }>): Promise<RunningEdge> {
  const hidden: unknown[] = [];
  const mesh = createMesh({ service: "gateway", registry: { watch: watchOf(servers) } });
  const forwarder = createForwarder({
    mesh,
    services: publicServices,
    onHidden: (_method, error) => hidden.push(error),
  });
  const edge = await startEdge({
    services: publicServices.map(({ service }) => service),
    forwarder,
    host: "127.0.0.1",
    port: 0,
    corsOrigins: ["*"],
    onError: (error) => hidden.push(error),
  });
  return {
    url: `http://127.0.0.1:${edge.port}`,
    edge,
    forwarder,
    hidden,
    async close() {
      await edge.close(0);
      await mesh.close();
    },
  };
}

type WatchRegistry = Parameters<typeof createMesh>[0]["registry"]["watch"];

/** A registry's watch over what never changes. */
function watchOf(servers: ReadonlyMap<string, { host: string; port: number }>): WatchRegistry {
  return (service, onChange) => {
    const server = servers.get(service);
    const instance = `${service}-1`;
    onChange(server ? [{ service, instance, ...address(server), metadata: {}, epoch: 1, state: "UP" }] : []);
    return { ready: Promise.resolve(), close: () => {} };
  };
}

function address({ host, port }: { host: string; port: number }): { host: string; port: number } {
  return { host, port };
}

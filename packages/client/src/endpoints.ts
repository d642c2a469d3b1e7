import type { Instance, Registry } from "@weft/registry";
import type { Connection } from "@weft/rpc";
import { Endpoint, type EndpointEvents, endpointId } from "./endpoint.ts";

/** The instances of one service that take calls, kept current by a watch. Those that stay keep their connection and statistics. */
export interface Endpoints {
  /** Resolves once the first list is here. */
  readonly ready: Promise<void>;
  readonly up: readonly Endpoint[];
  close(): void;
}

export function watchEndpoints(
  registry: Pick<Registry, "watch">,
  service: string,
  connect: (instance: Instance) => Connection,
  events: EndpointEvents,
): Endpoints {
  let known = new Map<string, Endpoint>();
  let up: readonly Endpoint[] = [];
  const watch = registry.watch(service, (instances) => {
    const next = new Map<string, Endpoint>();
    for (const instance of instances) {
      if (instance.state !== "UP") continue;
      const id = endpointId(instance);
      next.set(id, known.get(id) ?? new Endpoint(instance, connect, events));
    }
    for (const [id, endpoint] of known) if (!next.has(id)) endpoint.retire();
    known = next;
    up = [...next.values()];
  });
  return {
    ready: watch.ready,
    get up() {
      return up;
    },
    close() {
      watch.close();
      for (const endpoint of known.values()) endpoint.close();
      known = new Map();
      up = [];
    },
  };
}

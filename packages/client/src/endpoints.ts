import type { Clock } from "@weft/context";
import type { Instance, Registry } from "@weft/registry";
import type { Connection } from "@weft/rpc";
import { Endpoint, type EndpointEvents, endpointId } from "./endpoint.ts";

/**
 * The instances of one service that take calls, kept current by a watch. Those that stay registered keep their connection
 * and statistics, also while they take none.
 */
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
  clock: Clock,
  events: EndpointEvents,
): Endpoints {
  let known = new Map<string, Endpoint>();
  let up: readonly Endpoint[] = [];
  const watch = registry.watch(service, (instances) => {
    const next = new Map<string, Endpoint>();
    const taking: Endpoint[] = [];
    for (const instance of instances) {
      const id = endpointId(instance);
      const endpoint = known.get(id) ?? new Endpoint(instance, connect, clock, events);
      next.set(id, endpoint);
      if (instance.state === "UP") taking.push(endpoint);
    }
    for (const [id, endpoint] of known) if (!next.has(id)) endpoint.retire();
    known = next;
    up = taking;
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

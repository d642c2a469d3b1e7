import { once } from "node:events";
import type { Instance, InstanceState } from "@weft/registry";
import { createRedisRegistry } from "@weft/registry/redis";
import { nowMs, type WatchersData } from "./workers.ts";

// Many watchers, each with a registry and connections of its own, as many processes would have. Told a state to wait for, they answer twice:
// that they wait, and when the last of them has seen it.

const [data] = (await once(process, "message")) as [WatchersData];
const { url, heartbeatMs, watched, perService, hot, changing } = data;
const states = new Map<number, InstanceState>();
let awaited: InstanceState | undefined;

function see(watcher: number, list: readonly Instance[]): void {
  const found = list.find(({ instance }) => instance === changing);
  if (found === undefined) return;
  states.set(watcher, found.state);
  if (awaited !== undefined && [...states.values()].every((state) => state === awaited)) {
    awaited = undefined;
    process.send?.({ seenAt: nowMs() });
  }
}

await Promise.all(
  watched.map(async (services, watcher) => {
    const registry = createRedisRegistry({ url, heartbeatMs });
    for (const service of services) {
      const complete = Promise.withResolvers<void>();
      registry.watch(service, (list) => {
        if (list.length === perService) complete.resolve();
        if (service === hot) see(watcher, list);
      });
      await complete.promise;
    }
  }),
);
process.on("message", ({ state }: { readonly state: InstanceState }) => {
  awaited = state;
  process.send?.({});
});
process.on("disconnect", () => process.exit(0));
process.send?.({});

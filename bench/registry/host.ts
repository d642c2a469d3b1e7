import { once } from "node:events";
import type { InstanceState, Lease } from "@weft/registry";
import { createRedisRegistry } from "@weft/registry/redis";
import { type HostData, nowMs } from "./workers.ts";

// Holds many leases, as many processes would. Its first one changes its state when it is told to.

const [{ url, heartbeatMs, instances }] = (await once(process, "message")) as [HostData];
const registry = createRedisRegistry({ url, heartbeatMs });
let changing: Lease | undefined;
for (let from = 0; from < instances.length; from += 200) {
  const leases = await Promise.all(
    instances.slice(from, from + 200).map(({ service, instance }, i) =>
      registry.register({
        ...{ service, instance, host: "10.20.30.40", port: 10_000 + ((from + i) % 50_000) },
        metadata: { version: "1.24.0", zone: "eu-central-1a", weight: 1 },
      }),
    ),
  );
  changing ??= leases[0];
}
process.on("message", ({ state }: { readonly state: InstanceState }) => {
  const startedAt = nowMs();
  const answer = (errors: number) => process.send?.({ startedAt, errors });
  changing?.update({ state }).then(
    () => answer(0),
    () => answer(1),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.({});

import type { RegistryHarness } from "../../conformance.ts";
import type { Registry } from "../../registry.ts";
import { createRedisRegistry } from "../redis-registry.ts";
import { startMember } from "./start-member.ts";

const heartbeatMs = 400;

/** What the conformance suite is run over: registries on one Redis, whichever kind it is. */
export function redisHarness(url: string): RegistryHarness {
  const opened: Registry[] = [];
  return {
    heartbeatMs,
    connect() {
      const registry = createRedisRegistry({ url, heartbeatMs });
      opened.push(registry);
      return registry;
    },
    startMortal: (registration) => startMember({ url, heartbeatMs, blockedMs: 60_000, registration }),
    async close() {
      await Promise.all(opened.map((registry) => registry.close()));
    },
  };
}

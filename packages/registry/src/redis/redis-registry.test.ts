import { describeRegistry } from "../conformance.ts";
import type { Registry } from "../registry.ts";
import { createRedisRegistry } from "./redis-registry.ts";
import { startMember } from "./testing/start-member.ts";

const heartbeatMs = 400;

describeRegistry("the Redis registry", async () => {
  const url = process.env.REDIS_URL;
  if (url === undefined) throw new Error("REDIS_URL is not set; `npm test` starts a Redis and sets it");
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
});

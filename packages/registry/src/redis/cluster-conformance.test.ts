import { afterAll, beforeAll } from "vitest";
import { describeRegistry } from "../conformance.ts";
import type { Registry } from "../registry.ts";
import { createRedisRegistry } from "./redis-registry.ts";
import { type ClusterRedis, startCluster } from "./testing/start-cluster.ts";
import { startMember } from "./testing/start-member.ts";

const heartbeatMs = 400;
let redis: ClusterRedis;

beforeAll(async () => {
  redis = await startCluster({ replicas: 0 });
});
afterAll(() => redis.close());

describeRegistry("the Redis registry on a Cluster", async () => {
  const { url } = redis;
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

import { afterAll, beforeAll } from "vitest";
import { describeRegistry } from "../conformance.ts";
import { redisHarness } from "./testing/redis-harness.ts";
import { type ClusterRedis, startCluster } from "./testing/start-cluster.ts";

let redis: ClusterRedis;

beforeAll(async () => {
  redis = await startCluster({ replicas: 0 });
});
afterAll(() => redis.close());

describeRegistry("the Redis registry on a Cluster", async () => redisHarness(redis.url));

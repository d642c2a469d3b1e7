import { describeRegistry } from "../conformance.ts";
import { sharedRedisUrl } from "./testing/open-in-tests.ts";
import { redisHarness } from "./testing/redis-harness.ts";

describeRegistry("the Redis registry", async () => redisHarness(sharedRedisUrl()));

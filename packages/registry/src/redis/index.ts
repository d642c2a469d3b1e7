export type { RegistryLogger } from "./logger.ts";
export { createRedisRegistry, type RedisRegistryOptions } from "./redis-registry.ts";

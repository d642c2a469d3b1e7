export { aclRules, createRegistryUsers, type RegistryUser } from "./acl.ts";
export { InvalidRedisUrlError, parseRedisUrl, type RedisAddress } from "./address.ts";
export type { RegistryLogger } from "./logger.ts";
export { createRedisRegistry, type RedisRegistryOptions } from "./redis-registry.ts";

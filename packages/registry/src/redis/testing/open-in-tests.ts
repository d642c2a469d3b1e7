import { afterEach } from "vitest";
import type { Registration, Registry } from "../../registry.ts";
import { createRedisRegistry, type RedisRegistryOptions } from "../redis-registry.ts";
import { type PrivateRedis, startRedis } from "./start-redis.ts";

/** What a test file opens: closed after each test, the last that was opened first. */
export interface Opened {
  /** To be closed with the rest. */
  own(close: () => unknown): void;
  connect(url: string, options?: Partial<RedisRegistryOptions>): Registry;
  /** A redis-server of the test's own. */
  redisServer(port?: number): Promise<PrivateRedis>;
}

/** `defaults` are what all of the file's registries have, unless a test says otherwise. */
export function openInTests(defaults: Partial<RedisRegistryOptions>): Opened {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const own = (close: () => unknown) => void closing.push(close);
  return {
    own,
    connect(url, options) {
      const registry = createRedisRegistry({ url, ...defaults, ...options });
      own(() => registry.close());
      return registry;
    },
    async redisServer(port) {
      const redis = await startRedis(port);
      own(() => redis.kill());
      return redis;
    },
  };
}

/** The Redis that `npm test` starts for all test files. */
export function sharedRedisUrl(): string {
  const url = process.env.REDIS_URL ?? "";
  if (url === "") throw new Error("REDIS_URL is not set; `npm test` starts a Redis and sets it");
  return url;
}

export function registrationOf(service: string, instance = "a"): Registration {
  return { service, instance, host: "127.0.0.1", port: 9000, metadata: { zone: "eu-1a" } };
}

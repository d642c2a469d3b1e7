import { LeaseLostError, RegistryClosedError } from "../errors.ts";
import type { Lease, Load, Registration, Registry } from "../registry.ts";
import { validateRegistration } from "../validate.ts";
import { parseRedisUrl } from "./address.ts";
import { createHeart, HeldByNewerError } from "./heart.ts";
import type { RegistryLogger } from "./logger.ts";
import { createReader } from "./reader.ts";

export interface RedisRegistryOptions {
  /** Such as `redis://localhost:6379`, or `redis+sentinel://one:26379,two:26379/master-name`, or `redis+cluster://one,two`. Redis 7 or Valkey. */
  readonly url: string;
  /** How often leases are renewed and watches look for themselves; the same for all processes of a mesh. Default 2000. */
  readonly heartbeatMs?: number;
  /** Asked about once a second; without it the delay is measured and `inFlight` is 0. */
  readonly load?: () => Load;
  readonly logger?: RegistryLogger;
  /** How long `register` waits for Redis before it rejects. Default 30 s. */
  readonly registerTimeoutMs?: number;
  /** How long a question waits for its answer. Default 5 s. */
  readonly commandTimeoutMs?: number;
  /** A main thread that stood still for this long loses its leases until it moves again. Default 60 s. */
  readonly blockedMs?: number;
  /** Instances of one service beyond which a registration is refused and a watcher keeps no more. Default 10,000. */
  readonly maxInstances?: number;
  /**
   * A file of this process alone in which the last lists of its watches are kept. A watch that has no answer from Redis within a second
   * (or within `commandTimeoutMs`, if that is less) begins with the list in it, if Redis upheld that within the last day. Without it a
   * watch begins when Redis answers.
   */
  readonly snapshot?: string;
  /** Milliseconds that never go backwards; `performance` unless given. Not for the heartbeats: they keep time on a thread of their own. */
  readonly clock?: { now(): number };
  /** Milliseconds since 1970, by which the snapshot ages; `Date` unless given. */
  readonly wallClock?: { now(): number };
  /** In [0, 1): spreads the tries to connect. `Math.random` unless given. */
  readonly random?: () => number;
}

/**
 * A registry in Redis. Nothing is connected before it is needed. `register` waits for a Redis that is not there yet, for
 * `registerTimeoutMs`; from then on leases survive Redis's absence, restart, failover and FLUSHALL: the next heartbeat writes them
 * anew. Throws InvalidRedisUrlError.
 */
export function createRedisRegistry(options: RedisRegistryOptions): Registry {
  const { url, heartbeatMs = 2_000, load, logger } = options;
  const { registerTimeoutMs = 30_000, commandTimeoutMs = 5_000, blockedMs = 60_000 } = options;
  const { maxInstances: mostInstances = 10_000, snapshot } = options;
  const { clock = performance, wallClock = Date, random = Math.random } = options;
  parseRedisUrl(url);
  const shared = { url, heartbeatMs, mostInstances, clock, logger };
  const heart = createHeart({ ...shared, registerTimeoutMs, blockedMs, load });
  const reader = createReader({ ...shared, commandTimeoutMs, snapshot, wallClock, random });
  let nextLease = 1;
  let closed = false;

  async function register(registration: Registration): Promise<Lease> {
    if (closed) throw new RegistryClosedError();
    validateRegistration(registration);
    const { service, instance } = registration;
    const id = nextLease;
    nextLease += 1;
    const lost = new AbortController();
    const loseLease = () => {
      logger?.warn({ service, instance }, "registry: the lease was lost to a newer registration of the same instance");
      lost.abort(new LeaseLostError(service, instance));
    };
    const epoch = await heart.hold({ id, registration, epoch: "", state: "UP" }, loseLease);
    return {
      epoch: Number(epoch),
      lost: lost.signal,
      async update({ state }) {
        lost.signal.throwIfAborted();
        if (state === undefined) return;
        try {
          await heart.update(id, state);
        } catch (error) {
          lost.signal.throwIfAborted();
          throw error instanceof HeldByNewerError ? new LeaseLostError(service, instance) : error;
        }
      },
      async release() {
        // Redis is away: the lease expires by itself.
        await heart.release(id).catch(() => {});
      },
    };
  }

  return {
    register,
    list: reader.list,
    services: reader.services,
    watch: reader.watch,
    async close() {
      if (closed) return;
      closed = true;
      await reader.close();
      await heart.close();
    },
  };
}

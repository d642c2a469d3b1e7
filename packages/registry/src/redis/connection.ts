import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { type HostAndPort, parseRedisUrl, type RedisAddress } from "./address.ts";
import { BoundedCluster } from "./cluster.ts";

/** What commands are sent through. */
export type Connection = Redis | Cluster;

export interface ConnectionOptions {
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** A command that has no answer by then fails. */
  readonly commandTimeoutMs: number;
  /** The longest wait between two tries to connect. */
  readonly maxRetryDelayMs: number;
  /** Whether commands wait for the connection while there is none, or fail at once. */
  readonly waits: boolean;
  readonly random?: () => number;
}

/**
 * A connection that comes back by itself for as long as nobody closes it, and never sends a command twice. With Sentinels it
 * leads to the master that they name, and to another as soon as they say so. With a Cluster it leads to the master of a command's
 * slot; there a command whose connection was lost is sent again, until its time is over. Throws InvalidRedisUrlError.
 */
export function openConnection(options: ConnectionOptions): Connection {
  const address = parseRedisUrl(options.url);
  const common = commonOptions(options);
  if (address.kind !== "cluster") return openRedis(address, options, common);
  const { nodes, tls, username, password } = address;
  const { retryStrategy, enableOfflineQueue, ...perNode } = common;
  return new BoundedCluster([...nodes], {
    commandTimeoutMs: options.commandTimeoutMs,
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue,
    slotsRefreshTimeout: options.commandTimeoutMs,
    redisOptions: { ...perNode, ...credentials(username, password), ...(tls && { tls: {} }) },
    // A certificate names the host, not its address.
    ...(tls && { dnsLookup: (host: string, found: (error: null, address: string) => void) => found(null, host) }),
  });
}

/**
 * A connection that hears what is published. In a Cluster every node passes on what any of them was told: one is enough, and each try to
 * connect goes to the next of those that the URL names. Throws InvalidRedisUrlError.
 */
export function openSubscriber(options: ConnectionOptions): Redis {
  const address = parseRedisUrl(options.url);
  const common = commonOptions(options);
  if (address.kind !== "cluster") return openRedis(address, options, common);
  const { nodes, tls, username, password } = address;
  const { random = Math.random } = options;
  let turn = Math.floor(random() * nodes.length);
  const next = (): HostAndPort => nodes[turn++ % nodes.length] as HostAndPort;
  const subscriber: Redis = new Redis({
    ...common,
    ...next(),
    ...credentials(username, password),
    ...(tls && { tls: {} }),
    retryStrategy(times) {
      Object.assign(subscriber.options, next());
      return common.retryStrategy(times);
    },
  });
  return subscriber;
}

type CommonOptions = ReturnType<typeof commonOptions>;

function commonOptions({ name, commandTimeoutMs, maxRetryDelayMs, waits, random = Math.random }: ConnectionOptions) {
  return {
    connectionName: name,
    connectTimeout: commandTimeoutMs,
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: waits,
    // Whoever subscribes does so whenever the connection is ready.
    autoResubscribe: false,
    // Spread, so that a thousand processes don't come back in the same millisecond.
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), maxRetryDelayMs) * (0.5 + random() / 2),
    // A master that has become a replica: the address leads to another by now, or soon.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  } satisfies RedisOptions;
}

function credentials(username: string | undefined, password: string | undefined) {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

function openRedis(
  address: Exclude<RedisAddress, { readonly kind: "cluster" }>,
  options: ConnectionOptions,
  common: CommonOptions,
): Redis {
  if (address.kind === "server") return new Redis(address.url, common);
  const { sentinels, master, tls, db, username, password, sentinelUsername, sentinelPassword } = address;
  return new LastingRedis({
    ...common,
    sentinels: sentinels.map((sentinel) => ({ ...sentinel })),
    name: master,
    db,
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    ...credentials(username, password),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    sentinelCommandTimeout: options.commandTimeoutMs,
    // Each round of the Sentinels ends with this pause, also when one of them answered. The same each time, so that the error is.
    sentinelRetryStrategy: () => Math.min(250, options.maxRetryDelayMs),
    // A master that hangs closes no connection. Two, since one may be lost with the master's machine.
    failoverDetector: true,
    sentinelMaxConnections: 2,
  });
}

/**
 * ioredis ends a connection for good when a failover is announced to it while it asks the Sentinels for the master, which is when
 * the old master's connection was lost and nobody has followed yet. This one asks them again; commands that waited are rejected, and
 * channels have to be subscribed again.
 */
class LastingRedis extends Redis {
  #closed = false;

  constructor(options: Omit<RedisOptions, "replyMapping">) {
    super(options);
    this.on("end", () => {
      if (!this.#closed) this.connect().catch(() => {});
    });
  }

  override disconnect(reconnect = false): void {
    this.#closed ||= !reconnect;
    super.disconnect(reconnect);
  }
}

/** Where a URL points, without the credentials in it. */
export function describeAddress(url: string): string {
  try {
    return parseRedisUrl(url).description;
  } catch {
    return "Redis";
  }
}

import { Redis, type RedisOptions } from "ioredis";
import { parseRedisUrl } from "./address.ts";

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
 * leads to the master that they name, and to another as soon as they say so. Throws InvalidRedisUrlError.
 */
export function openConnection(options: ConnectionOptions): Redis {
  const { random = Math.random } = options;
  const address = parseRedisUrl(options.url);
  const common = {
    connectionName: options.name,
    connectTimeout: options.commandTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: options.waits,
    // Whoever subscribes does so whenever the connection is ready.
    autoResubscribe: false,
    // Spread, so that a thousand processes don't come back in the same millisecond.
    retryStrategy: (times: number) =>
      Math.min(50 * 2 ** Math.min(times, 10), options.maxRetryDelayMs) * (0.5 + random() / 2),
    // A master that has become a replica: the address leads to another by now, or soon.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  } satisfies RedisOptions;
  if (address.kind === "server") return new Redis(address.url, common);
  const { sentinels, master, tls, db, username, password, sentinelUsername, sentinelPassword } = address;
  return new LastingRedis({
    ...common,
    sentinels: sentinels.map((sentinel) => ({ ...sentinel })),
    name: master,
    db,
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
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

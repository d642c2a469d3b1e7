import { Redis } from "ioredis";

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

/** A connection that comes back by itself for as long as nobody closes it, and never sends a command twice. */
export function openConnection(options: ConnectionOptions): Redis {
  const { random = Math.random } = options;
  return new Redis(options.url, {
    connectionName: options.name,
    connectTimeout: options.commandTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: options.waits,
    // Spread, so that a thousand processes don't come back in the same millisecond.
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), options.maxRetryDelayMs) * (0.5 + random() / 2),
  });
}

/** Where a URL points, without the credentials in it. */
export function describeAddress(url: string): string {
  try {
    return `Redis at ${new URL(url).host}`;
  } catch {
    return "Redis";
  }
}

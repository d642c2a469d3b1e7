import type { Redis } from "ioredis";
import { RegistryClosedError, RegistryUnavailableError } from "../errors.ts";
import type { Instance, Watch } from "../registry.ts";
import { type Belief, createBelief } from "./belief.ts";
import { describeAddress, openConnection } from "./connection.ts";
import { channelOf, keysOf, servicesKey } from "./keys.ts";
import type { RegistryLogger } from "./logger.ts";
import { asSeen, decodeSnapshot, type Snapshot } from "./record.ts";
import { readScript, servicesScript } from "./scripts.ts";

export interface ReaderOptions {
  readonly url: string;
  readonly heartbeatMs: number;
  readonly commandTimeoutMs: number;
  readonly logger: RegistryLogger | undefined;
}

/** Everything that only looks. */
export interface Reader {
  list(service: string): Promise<readonly Instance[]>;
  services(): Promise<readonly string[]>;
  watch(service: string, onChange: (instances: readonly Instance[]) => void): Watch;
  close(): void;
}

/** One service that somebody watches. */
interface Feed {
  readonly service: string;
  readonly belief: Belief;
  readonly listeners: Set<(instances: readonly Instance[]) => void>;
  list: readonly Instance[] | undefined;
  mark: string;
  reading: boolean;
  /** Something moved while it was being read. */
  again: boolean;
}

/** Connects with the first question. Watches re-read on a hint, on every heartbeat, and whenever a connection is back. */
export function createReader(options: ReaderOptions): Reader {
  const { url, heartbeatMs, commandTimeoutMs, logger } = options;
  const address = describeAddress(url);
  const feeds = new Map<string, Feed>();
  const open = new Set<Watch>();
  let commands: Redis | undefined;
  let hints: Redis | undefined;
  let polling: NodeJS.Timeout | undefined;
  let closed = false;

  function connect(name: string): Redis {
    const connection = openConnection({
      url,
      name,
      commandTimeoutMs,
      maxRetryDelayMs: Math.min(1_000, heartbeatMs),
      waits: true,
    });
    connection.on("error", () => {});
    return connection;
  }

  function commander(): Redis {
    if (closed) throw new RegistryClosedError();
    if (commands !== undefined) return commands;
    let away = false;
    commands = connect("weft-reader");
    commands.on("close", () => {
      for (const feed of feeds.values()) feed.belief.interrupted();
      if (!away && !closed) logger?.warn({}, `registry: ${address} is away; the last known lists stand`);
      away = true;
    });
    commands.on("ready", () => {
      if (away) logger?.info({}, `registry: ${address} is back`);
      away = false;
      refreshAll();
    });
    return commands;
  }

  async function ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await question(commander());
    } catch (error) {
      if (closed) throw new RegistryClosedError();
      throw new RegistryUnavailableError(
        `${address} did not answer: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  async function read(service: string, mark: string): Promise<Snapshot | undefined> {
    const reply = await ask((redis) => readScript.run(redis, keysOf(service), [heartbeatMs, mark]));
    return decodeSnapshot(service, heartbeatMs, reply);
  }

  async function refresh(feed: Feed): Promise<void> {
    feed.again = feed.reading;
    if (feed.reading) return;
    feed.reading = true;
    try {
      do {
        feed.again = false;
        const snapshot = await read(feed.service, feed.mark);
        if (closed || feed.listeners.size === 0) return;
        feed.mark = snapshot?.mark ?? feed.mark;
        deliver(feed, feed.belief.observe(snapshot));
      } while (feed.again);
    } catch {
      // Away: logged by the connection; the next poll asks again.
      feed.belief.interrupted();
    } finally {
      feed.reading = false;
    }
  }

  function deliver(feed: Feed, list: readonly Instance[] | undefined): void {
    if (list === undefined) return;
    feed.list = list;
    for (const listener of [...feed.listeners]) {
      try {
        listener(list);
      } catch (error) {
        logger?.error({ err: error, service: feed.service }, "registry: a watcher failed");
      }
    }
  }

  function refreshAll(): void {
    for (const feed of feeds.values()) void refresh(feed);
  }

  function hinter(): Redis {
    if (hints !== undefined) return hints;
    hints = connect("weft-hints");
    hints.on("message", (channel: string) => {
      for (const feed of feeds.values()) if (channelOf(feed.service) === channel) void refresh(feed);
    });
    // All of them each time: what a connection was subscribed to, or was about to be, may be lost with it.
    hints.on("ready", () => void subscribe([...feeds.values()]));
    polling = setInterval(refreshAll, heartbeatMs);
    return hints;
  }

  async function subscribe(watched: readonly Feed[]): Promise<void> {
    // Without hints the polls find what changes.
    if (watched.length > 0) await hints?.subscribe(...watched.map(({ service }) => channelOf(service))).catch(() => {});
    // Read once more: a change in between gave no hint.
    for (const feed of watched) void refresh(feed);
  }

  function feedOf(service: string): Feed {
    const found = feeds.get(service);
    if (found !== undefined) return found;
    const belief = createBelief({ removalMs: 3 * heartbeatMs, clock: performance });
    const listeners: Feed["listeners"] = new Set();
    const feed: Feed = { service, belief, listeners, list: undefined, mark: "", reading: false, again: false };
    feeds.set(service, feed);
    if (hinter().status === "ready") void subscribe([feed]);
    return feed;
  }

  function watch(service: string, onChange: (instances: readonly Instance[]) => void): Watch {
    if (closed) throw new RegistryClosedError();
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    // Nobody has to wait for it.
    ready.catch(() => {});
    const feed = feedOf(service);
    const listener = (instances: readonly Instance[]) => {
      resolve();
      onChange(instances);
    };
    const handle: Watch = {
      ready,
      close() {
        if (!open.delete(handle)) return;
        feed.listeners.delete(listener);
        reject(new RegistryClosedError());
        if (feed.listeners.size > 0 || feeds.get(service) !== feed) return;
        feeds.delete(service);
        hints?.unsubscribe(channelOf(service)).catch(() => {});
      },
    };
    open.add(handle);
    feed.listeners.add(listener);
    if (feed.list === undefined) void refresh(feed);
    else {
      const list = feed.list;
      queueMicrotask(() => {
        if (open.has(handle)) listener(feed.list ?? list);
      });
    }
    return handle;
  }

  return {
    async list(service) {
      const snapshot = await read(service, "");
      return snapshot?.listed.map(asSeen) ?? [];
    },
    async services() {
      return ((await ask((redis) => servicesScript.run(redis, [servicesKey], []))) as string[]).sort();
    },
    watch,
    close() {
      if (closed) return;
      closed = true;
      clearInterval(polling);
      for (const handle of [...open]) handle.close();
      commands?.disconnect();
      hints?.disconnect();
    },
  };
}

import type { Redis } from "ioredis";
import { RegistryClosedError, RegistryUnavailableError } from "../errors.ts";
import type { Instance, Registry, Watch, WatchOptions } from "../registry.ts";
import { parseRedisUrl } from "./address.ts";
import {
  type Connection,
  type ConnectionOptions,
  describeAddress,
  openConnection,
  openSubscriber,
} from "./connection.ts";
import { isDenial } from "./denial.ts";
import { createFeed, type Feed, type Listener } from "./feed.ts";
import { channelOf, keysOf, servicesKey } from "./keys.ts";
import { asSeen, createListing, type Listing } from "./listing.ts";
import type { RegistryLogger } from "./logger.ts";
import { readScript, servicesScript } from "./scripts.ts";
import { openSnapshotFile } from "./snapshot-file.ts";

export interface ReaderOptions {
  readonly url: string;
  readonly heartbeatMs: number;
  readonly commandTimeoutMs: number;
  readonly mostInstances: number;
  readonly snapshot: string | undefined;
  readonly clock: { now(): number };
  readonly random: () => number;
  readonly wallClock: { now(): number };
  readonly logger: RegistryLogger | undefined;
}

/** Everything that only looks. */
export type Reader = Pick<Registry, "list" | "services" | "watch" | "close">;

/** For how long a watch waits for Redis before it takes the list of an earlier process, at most. */
const recallAfterMs = 1_000;

/** Connects with the first question. Watches re-read on a hint, on every heartbeat, and whenever a connection is back. */
export function createReader(options: ReaderOptions): Reader {
  const { url, heartbeatMs, commandTimeoutMs, mostInstances, clock, random, wallClock, logger } = options;
  const address = describeAddress(url);
  const { username = "default" } = parseRedisUrl(url);
  /** By channel. */
  const feeds = new Map<string, Feed>();
  const open = new Set<Watch>();
  const snapshot =
    options.snapshot === undefined ? undefined : openSnapshotFile({ path: options.snapshot, wallClock, logger });
  let commands: Connection | undefined;
  let hints: Redis | undefined;
  let polling: NodeJS.Timeout | undefined;
  let closed = false;

  function connection(name: string): ConnectionOptions {
    return { url, name, commandTimeoutMs, maxRetryDelayMs: Math.min(1_000, heartbeatMs), waits: true, random };
  }

  function interrupt(): void {
    for (const feed of feeds.values()) feed.interrupted();
  }

  function commander(): Connection {
    if (closed) throw new RegistryClosedError();
    if (commands !== undefined) return commands;
    let away = false;
    commands = openConnection(connection("weft-reader"));
    commands.on("error", () => {});
    // One of a Cluster's nodes: another will have its slots, maybe without the last beats.
    commands.on("-node", interrupt);
    commands.on("close", () => {
      interrupt();
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

  /** What Redis refuses to tell, so that it isn't said with every poll; until there is an answer. */
  const refused = new Set<string>();

  async function ask<T>(about: string, question: (redis: Connection) => Promise<T>): Promise<T> {
    try {
      const answer = await question(commander());
      refused.delete(about);
      return answer;
    } catch (error) {
      if (closed) throw new RegistryClosedError();
      const reason = error instanceof Error ? error.message : String(error);
      if (!isDenial(error)) throw new RegistryUnavailableError(`${address} did not answer: ${reason}`);
      const message = `${address} does not let its user "${username}" read ${about} (${reason}); give the user the rules of aclRules(…)`;
      if (!refused.has(about)) logger?.error({}, `registry: ${message}`);
      refused.add(about);
      throw new RegistryUnavailableError(message);
    }
  }

  function read(service: string, known: Listing["known"]): Promise<unknown> {
    return ask(service, (redis) => readScript.run(redis, keysOf(service), [heartbeatMs, ...known]));
  }

  function refreshAll(): void {
    for (const feed of feeds.values()) void feed.refresh();
  }

  function hinter(): Redis {
    if (hints !== undefined) return hints;
    hints = openSubscriber(connection("weft-hints"));
    hints.on("error", () => {});
    hints.on("message", (channel: string, hint: string) => feeds.get(channel)?.hear(hint));
    // All of them each time: what a connection was subscribed to, or was about to be, may be lost with it.
    hints.on("ready", () => void subscribe([...feeds.values()]));
    polling = setInterval(refreshAll, heartbeatMs);
    return hints;
  }

  async function subscribe(watched: readonly Feed[]): Promise<void> {
    // Without hints the polls find what changes.
    if (watched.length > 0) await hints?.subscribe(...watched.map(({ service }) => channelOf(service))).catch(() => {});
    // Read once more: a change in between gave no hint.
    for (const feed of watched) void feed.refresh();
  }

  function feedOf(service: string): Feed {
    const channel = channelOf(service);
    const found = feeds.get(channel);
    if (found !== undefined) return found;
    const feed = createFeed({
      ...{ service, heartbeatMs, mostInstances, read, clock, logger },
      remembered: { list: snapshot?.recall(service), afterMs: Math.min(commandTimeoutMs, recallAfterMs) },
      onList: (list) => snapshot?.note(service, list),
    });
    feeds.set(channel, feed);
    if (hinter().status === "ready") void subscribe([feed]);
    return feed;
  }

  function watch(
    service: string,
    onChange: (instances: readonly Instance[]) => void,
    { stillAnswers }: WatchOptions = {},
  ): Watch {
    if (closed) throw new RegistryClosedError();
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    // Nobody has to wait for it.
    ready.catch(() => {});
    const feed = feedOf(service);
    const listener: Listener = {
      onChange(instances) {
        resolve();
        onChange(instances);
      },
      ...(stillAnswers && { stillAnswers }),
    };
    const handle: Watch = {
      ready,
      close() {
        if (!open.delete(handle)) return;
        const left = feed.remove(listener);
        reject(new RegistryClosedError());
        const channel = channelOf(service);
        if (left > 0 || feeds.get(channel) !== feed) return;
        feeds.delete(channel);
        hints?.unsubscribe(channel).catch(() => {});
      },
    };
    open.add(handle);
    feed.add(listener);
    if (feed.list === undefined) void feed.refresh();
    else {
      const { list } = feed;
      queueMicrotask(() => {
        if (open.has(handle)) listener.onChange(feed.list ?? list);
      });
    }
    return handle;
  }

  return {
    async list(service) {
      const listing = createListing(service, mostInstances);
      const found = listing.take(await read(service, listing.known));
      return found === undefined ? [] : asSeen(found);
    },
    async services() {
      return (
        (await ask("the list of services", (redis) => servicesScript.run(redis, [servicesKey], []))) as string[]
      ).sort();
    },
    watch,
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(polling);
      for (const handle of [...open]) handle.close();
      commands?.disconnect();
      hints?.disconnect();
      await snapshot?.close();
    },
  };
}

import { RegistryClosedError } from "../errors.ts";
import type { Instance, WatchOptions } from "../registry.ts";
import { createBelief } from "./belief.ts";
import { createListing, type Listing, type Snapshot } from "./listing.ts";
import type { RegistryLogger } from "./logger.ts";

export interface FeedOptions {
  readonly service: string;
  readonly heartbeatMs: number;
  readonly mostInstances: number;
  /** Asks Redis what is new; rejects when it can't be reached. */
  readonly read: (service: string, known: Listing["known"]) => Promise<unknown>;
  /** What an earlier process believed, and after how many milliseconds without an answer it is good enough. */
  readonly remembered: { readonly list: readonly Instance[] | undefined; readonly afterMs: number };
  /** A list that Redis gave was believed. */
  readonly onList: (service: string, list: readonly Instance[]) => void;
  readonly logger: RegistryLogger | undefined;
}

export interface Listener extends WatchOptions {
  onChange(instances: readonly Instance[]): void;
}

/** One service that somebody watches: read once for all who do. */
export interface Feed {
  readonly service: string;
  /** The last list, if there was one. */
  readonly list: readonly Instance[] | undefined;
  /** Reads anew; asked while it reads, it does so once more. Never rejects. */
  refresh(): Promise<void>;
  /** Takes what was published; reads where that is not enough. */
  hear(hint: string): void;
  interrupted(): void;
  add(listener: Listener): void;
  /** Returns how many are left. */
  remove(listener: Listener): number;
}

export function createFeed(options: FeedOptions): Feed {
  const { service, heartbeatMs, mostInstances, read, remembered, onList, logger } = options;
  const listing = createListing(service, mostInstances);
  const listeners = new Set<Listener>();
  const belief = createBelief({ removalMs: 3 * heartbeatMs, clock: performance, stillAnswers });
  let list: readonly Instance[] | undefined;
  let reading = false;
  let again = false;
  let waiting = remembered.list === undefined ? undefined : setTimeout(recall, remembered.afterMs, remembered.list);

  function recall(before: readonly Instance[]): void {
    waiting = undefined;
    if (list !== undefined) return;
    logger?.warn({ service }, "registry: no answer yet; the list of an earlier process stands until there is one");
    belief.remember(before);
    deliver(before);
  }

  function stillAnswers(instance: Instance): boolean {
    for (const listener of listeners) {
      try {
        if (listener.stillAnswers?.(instance)) return true;
      } catch (error) {
        logger?.error({ err: error, service }, "registry: a watcher failed");
      }
    }
    return false;
  }

  function deliver(instances: readonly Instance[]): void {
    list = instances;
    for (const listener of [...listeners]) {
      try {
        listener.onChange(instances);
      } catch (error) {
        logger?.error({ err: error, service }, "registry: a watcher failed");
      }
    }
  }

  function believe(snapshot: Snapshot | undefined): void {
    const found = belief.observe(snapshot);
    if (found === undefined) return;
    clearTimeout(waiting);
    deliver(found);
    onList(service, found);
  }

  function hear(hint: string): void {
    // What is being read may be from before or from after it.
    const heard = reading ? "read" : listing.hear(hint);
    if (heard === "read") void refresh();
    else if (heard !== "known") believe(heard);
  }

  async function refresh(): Promise<void> {
    again = reading;
    if (reading) return;
    reading = true;
    try {
      do {
        again = false;
        const reply = await read(service, listing.known);
        if (listeners.size === 0) return;
        believe(listing.take(reply));
      } while (again);
    } catch (error) {
      if (error instanceof RegistryClosedError) return;
      // Away: logged by the connection; the next poll asks again.
      belief.interrupted();
    } finally {
      reading = false;
    }
  }

  return {
    service,
    get list() {
      return list;
    },
    refresh,
    hear,
    interrupted: belief.interrupted,
    add: (listener) => void listeners.add(listener),
    remove(listener) {
      listeners.delete(listener);
      if (listeners.size === 0) clearTimeout(waiting);
      return listeners.size;
    },
  };
}

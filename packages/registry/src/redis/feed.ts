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
  /** Redis answered, and this is what is believed: the same list as before where nothing changed. */
  readonly onList: (list: readonly Instance[]) => void;
  readonly clock: { now(): number };
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
  const { service, heartbeatMs, mostInstances, read, remembered, onList, clock, logger } = options;
  const listing = createListing(service, mostInstances);
  const listeners = new Set<Listener>();
  const belief = createBelief({ removalMs: 3 * heartbeatMs, clock, stillAnswers });
  let list: readonly Instance[] | undefined;
  let reading = false;
  let again = false;
  const noAnswer = "no answer yet; the list of an earlier process stands until there is one";
  const waiting = remembered.list && setTimeout(recall, remembered.afterMs, noAnswer);

  function recall(why: string): void {
    if (list !== undefined || remembered.list === undefined) return;
    logger?.warn({ service }, `registry: ${why}`);
    belief.remember(remembered.list);
    deliver(remembered.list);
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
    clearTimeout(waiting);
    if (list === undefined && snapshot !== undefined && lacksOlder(snapshot, remembered.list))
      recall(
        "Redis may have lost what an earlier process knew; its list stands for as long as the instances may come back",
      );
    const found = belief.observe(snapshot);
    if (found !== undefined) deliver(found);
    if (list !== undefined) onList(list);
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

/** Whether one is missing that had registered before Redis began the service's list: an epoch is Redis's time, as the list's birth is. */
function lacksOlder({ version, instances }: Snapshot, remembered: readonly Instance[] | undefined): boolean {
  if (remembered === undefined) return false;
  const born = version === "" ? Number.POSITIVE_INFINITY : Number(version.split(".")[0]);
  const present = new Set(instances.map(({ instance }) => instance));
  return remembered.some(({ instance, epoch }) => epoch < born && !present.has(instance));
}

import { type Store, startWorker } from "@weft/store";
import type { Logger } from "@weft/telemetry";
import { sql } from "kysely";
import type { OrderFeed } from "../app/watch-order.ts";
import type { OrderChange } from "../domain/order-change.ts";
import { changesChannel, type OrderDatabase } from "./schema.ts";

export interface OrderFeedOptions {
  readonly store: Store<OrderDatabase>;
  readonly logger: Logger;
  /** How often changes are looked for that no notification told of, in milliseconds. Default 5 s. */
  readonly pollMs?: number;
}

export interface OpenOrderFeed extends OrderFeed {
  getState(): { readonly watchers: number };
  close(): Promise<void>;
}

/** Somebody who reads one order's changes. */
interface Watcher {
  /** The last version that was handed on. */
  version: number;
  readonly changes: OrderChange[];
  /** Tells the reader that there is something to read. */
  wake: () => void;
}

/**
 * All watchers of a process share one LISTEN and one query a change, whatever their number: each is a cursor in memory.
 * Changes are read from their history by version, so that none is lost between a watcher's first look and its
 * subscription, or to a notification that never came.
 */
export async function openOrderFeed({ store, logger, pollMs = 5_000 }: OrderFeedOptions): Promise<OpenOrderFeed> {
  const watched = new Map<string, Set<Watcher>>();
  const worker = startWorker({ name: "order feed", poll: () => handOn(store, watched), intervalMs: pollMs, logger });
  const listener = await store.listen(changesChannel, () => worker.wake());
  return {
    async *after(orderId, version, signal) {
      const watcher: Watcher = { version, changes: [], wake() {} };
      enter(watched, orderId, watcher);
      worker.wake();
      try {
        while (!signal.aborted) {
          for (let change = watcher.changes.shift(); change; change = watcher.changes.shift()) yield change;
          await somethingToRead(watcher, signal);
        }
      } finally {
        leave(watched, orderId, watcher);
      }
    },
    getState() {
      let watchers = 0;
      for (const each of watched.values()) watchers += each.size;
      return { watchers };
    },
    async close() {
      await listener.close();
      await worker.close();
    },
  };
}

async function handOn(store: Store<OrderDatabase>, watched: ReadonlyMap<string, Set<Watcher>>): Promise<number> {
  if (watched.size === 0) return 0;
  const cursors = [...watched].map(([id, watchers]) => ({
    id,
    version: Math.min(...[...watchers].map(({ version }) => version)),
  }));
  const { rows } = await sql<OrderChange & { orderId: string }>`
    SELECT c.order_id AS "orderId", c.version, c.status, c.reason, c.changed_at AS "updatedAt"
    FROM unnest(${cursors.map(({ id }) => id)}::uuid[], ${cursors.map(({ version }) => version)}::integer[]) AS w (id, version)
    JOIN order_changes c ON c.order_id = w.id AND c.version > w.version
    ORDER BY c.order_id, c.version`.execute(store.db);
  for (const { orderId, ...change } of rows) {
    for (const watcher of watched.get(orderId) ?? []) {
      if (change.version <= watcher.version) continue;
      watcher.version = change.version;
      watcher.changes.push(change);
      watcher.wake();
    }
  }
  return rows.length;
}

function somethingToRead(watcher: Watcher, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener("abort", wake);
      resolve();
    };
    watcher.wake = wake;
    signal.addEventListener("abort", wake, { once: true });
    if (signal.aborted || watcher.changes.length > 0) wake();
  });
}

function enter(watched: Map<string, Set<Watcher>>, orderId: string, watcher: Watcher): void {
  const watchers = watched.get(orderId) ?? new Set();
  watched.set(orderId, watchers.add(watcher));
}

function leave(watched: Map<string, Set<Watcher>>, orderId: string, watcher: Watcher): void {
  const watchers = watched.get(orderId);
  watchers?.delete(watcher);
  if (watchers?.size === 0) watched.delete(orderId);
}

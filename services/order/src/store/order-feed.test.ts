import { silentLogger } from "@weft/telemetry";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { cancelOrder } from "../app/cancel-order.ts";
import type { Orders } from "../app/orders.ts";
import { confirmOrder } from "../app/settle-order.ts";
import type { OrderChange } from "../domain/order-change.ts";
import type { OrderStatus } from "../domain/order-status.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { newPlacement } from "../testing/orders.ts";
import { type OpenOrderFeed, openOrderFeed } from "./order-feed.ts";
import { createOrderRepository } from "./order-repository.ts";

let database: TestDatabase;
let orders: Orders;
let opened: OpenOrderFeed | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  orders = createOrderRepository(database.store);
});

afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

afterAll(() => database?.drop());

const open = async (pollMs: number): Promise<OpenOrderFeed> => {
  opened = await openOrderFeed({ store: database.store, logger: silentLogger, pollMs });
  return opened;
};
const now = () => new Date("2026-05-01T10:05:00Z");
const confirm = (id: string) => confirmOrder(orders, now)(id);
const cancel = (id: string) => cancelOrder(orders, now)(id, "changed my mind");
const far = 2 ** 30;

async function placed(): Promise<string> {
  return (await orders.add(newPlacement())).id;
}

async function take(changes: AsyncIterable<OrderChange>, count: number): Promise<OrderChange[]> {
  const taken: OrderChange[] = [];
  for await (const change of changes) if (taken.push(change) === count) break;
  return taken;
}

/** A change whose notification was lost, as when its process dies right after the commit. */
async function changeUnnoticed(id: string, version: number, status: OrderStatus): Promise<void> {
  await sql`
    INSERT INTO order_changes (order_id, version, status, reason, changed_at)
    VALUES (${id}, ${version}, ${status}, '', ${now()})`.execute(database.store.db);
}

describe("the feed of orders", () => {
  it("hands on what a notification tells of, long before it would look by itself", async () => {
    const feed = await open(far);
    const id = await placed();
    const changes = take(feed.after(id, 1, AbortSignal.timeout(15_000)), 2);
    await confirm(id);
    await cancel(id);
    expect(await changes).toEqual([
      { version: 2, status: "CONFIRMED", reason: "", updatedAt: now() },
      { version: 3, status: "CANCELLED", reason: "changed my mind", updatedAt: now() },
    ]);
  });

  it("hands on at once what happened before it was asked, after the version that the reader has", async () => {
    const feed = await open(far);
    const id = await placed();
    await changeUnnoticed(id, 2, "CONFIRMED");
    await changeUnnoticed(id, 3, "CANCELLED");
    const [change] = await take(feed.after(id, 2, AbortSignal.timeout(15_000)), 1);
    expect(change?.version).toBe(3);
  });

  it("finds by itself what no notification told of", async () => {
    const feed = await open(20);
    const id = await placed();
    const changes = take(feed.after(id, 1, AbortSignal.timeout(15_000)), 1);
    await changeUnnoticed(id, 2, "CONFIRMED");
    expect(await changes).toMatchObject([{ version: 2 }]);
  });

  it("gives each reader of an order every change, from where it is", async () => {
    const feed = await open(far);
    const id = await placed();
    await confirm(id);
    const signal = AbortSignal.timeout(15_000);
    const all = take(feed.after(id, 1, signal), 2);
    const rest = take(feed.after(id, 2, signal), 1);
    await cancel(id);
    expect((await all).map(({ version }) => version)).toEqual([2, 3]);
    expect((await rest).map(({ version }) => version)).toEqual([3]);
  });

  it("ends for a reader whose signal fires, and forgets it", async () => {
    const feed = await open(far);
    const id = await placed();
    const leaving = new AbortController();
    const changes = take(feed.after(id, 1, leaving.signal), 1);
    await vi.waitFor(() => expect(feed.getState().watchers).toBe(1));
    leaving.abort();
    expect(await changes).toEqual([]);
    expect(feed.getState().watchers).toBe(0);
  });

  it("listens again after its connection was cut, and misses nothing", async () => {
    const feed = await open(far);
    const id = await placed();
    const changes = take(feed.after(id, 1, AbortSignal.timeout(15_000)), 1);
    await sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query ILIKE 'listen%'`.execute(database.store.db);
    await confirm(id);
    expect(await changes).toMatchObject([{ version: 2, status: "CONFIRMED" }]);
  });
});

import { Code, ConnectError } from "@connectrpc/connect";
import { InventoryService } from "@shop/contracts/inventory";
import { type Order, OrderStatus, type WatchOrderResponse } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { confirmOrder } from "../app/settle-order.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { type Peers, startPeers } from "../testing/peers.ts";
import { openOrderService, type RunningOrderService } from "../testing/running-order-service.ts";

const ada = "a0000000-0000-4000-8000-000000000001";

let database: TestDatabase;
let peers: Peers;
let service: RunningOrderService;
let otherInstance: RunningOrderService;

beforeAll(async () => {
  database = await createTestDatabase();
  peers = await startPeers(database.store);
  peers.world.users.set(ada, "active");
  peers.world.products.set("mug", { price: 1250n, currency: "USD", stock: 1_000 });
  const addresses = new Map([
    [UserService.typeName, peers],
    [InventoryService.typeName, peers],
  ]);
  service = await openOrderService({ database, peers: addresses });
  otherInstance = await openOrderService({ database, peers: addresses });
});

afterAll(async () => {
  await service?.close();
  await otherInstance?.close();
  await peers?.close(1_000);
  await database?.drop();
});

async function placed(): Promise<string> {
  const items = [{ productId: "mug", quantity: 1 }];
  const { order } = await service.client.createOrder({ userId: ada, items, paymentToken: "tok_visa" });
  return order?.id ?? "";
}

const confirm = (id: string) => confirmOrder(otherInstance.orders, () => new Date())(id);

async function readAll(stream: AsyncIterable<WatchOrderResponse>): Promise<(Order | undefined)[]> {
  const seen: (Order | undefined)[] = [];
  for await (const { order } of stream) seen.push(order);
  return seen;
}

describe("WatchOrder", () => {
  it("shows the order, then every change that any instance commits, and ends when it is delivered", async () => {
    const orderId = await placed();
    const stream = service.client.watchOrder({ orderId })[Symbol.asyncIterator]();
    const next = async () => (await stream.next()).value?.order;
    expect(await next()).toMatchObject({ id: orderId, status: OrderStatus.PENDING, version: 1 });
    await confirm(orderId);
    const confirmed = await next();
    expect(confirmed).toMatchObject({ status: OrderStatus.CONFIRMED, version: 2, total: { minorUnits: 1250n } });
    expect(confirmed).toEqual((await service.client.getOrder({ orderId })).order);
    await otherInstance.client.updateOrderStatus({ orderId, status: OrderStatus.SHIPPED });
    expect(await next()).toMatchObject({ status: OrderStatus.SHIPPED, version: 3 });
    await otherInstance.client.updateOrderStatus({ orderId, status: OrderStatus.DELIVERED });
    expect(await next()).toMatchObject({ status: OrderStatus.DELIVERED, version: 4 });
    expect((await stream.next()).done).toBe(true);
  });

  it("ends with an order that is in a final state", async () => {
    const orderId = await placed();
    await service.client.cancelOrder({ orderId });
    const seen = await readAll(service.client.watchOrder({ orderId }));
    expect(seen.map((order) => order?.status)).toEqual([OrderStatus.CANCELLED]);
  });

  it("leaves no step out, however fast they follow and whenever a watcher comes", async () => {
    const orderId = await placed();
    const watchers = Array.from({ length: 50 }, () => readAll(service.client.watchOrder({ orderId })));
    await confirm(orderId);
    watchers.push(...Array.from({ length: 50 }, () => readAll(service.client.watchOrder({ orderId }))));
    await service.client.updateOrderStatus({ orderId, status: OrderStatus.SHIPPED });
    await service.client.updateOrderStatus({ orderId, status: OrderStatus.DELIVERED });
    for (const seen of await Promise.all(watchers)) {
      const versions = seen.map((order) => order?.version ?? 0);
      const first = versions[0] ?? 0;
      expect(versions).toEqual(Array.from({ length: 5 - first }, (_, i) => first + i));
    }
  });

  it("ends when its caller leaves, and nobody is watched for any more", async () => {
    const orderId = await placed();
    const leaving = new AbortController();
    const stream = service.client.watchOrder({ orderId }, { signal: leaving.signal })[Symbol.asyncIterator]();
    await stream.next();
    const waiting = stream.next();
    leaving.abort();
    await expect(waiting).rejects.toMatchObject({ code: Code.Canceled });
    await vi.waitFor(() => expect(service.watchers()).toBe(0));
  });

  it("ends at the caller's deadline", async () => {
    const orderId = await placed();
    const error = await readAll(service.client.watchOrder({ orderId }, { timeoutMs: 200 })).catch((e: unknown) => e);
    expect(ConnectError.from(error).code).toBe(Code.DeadlineExceeded);
    await vi.waitFor(() => expect(service.watchers()).toBe(0));
  });

  it("needs one connection for notifications, whatever the number of watchers", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, placed));
    const leaving = new AbortController();
    const streams = ids.map((orderId) =>
      service.client.watchOrder({ orderId }, { signal: leaving.signal })[Symbol.asyncIterator](),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    const { rows } = await sql<{ count: string }>`
      SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'`.execute(
      database.store.db,
    );
    expect(Number(rows[0]?.count)).toBe(1);
    leaving.abort();
    await vi.waitFor(() => expect(service.watchers()).toBe(0));
  });
});

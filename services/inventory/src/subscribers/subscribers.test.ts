import { randomUUID } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { ReservationStatus } from "@shop/contracts/inventory";
import { OrderCreatedSchema, OrderStatus, OrderStatusChangedSchema } from "@shop/contracts/order";
import { silentLogger } from "@weft/telemetry";
import { deliver, refusal } from "@weft/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createReservationRepository } from "../store/reservation-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { published } from "../testing/published.ts";
import { openInventory, type RunningInventory } from "../testing/running-inventory.ts";
import { onOrderCreated } from "./order-created.ts";
import { onOrderStatusChanged } from "./order-status-changed.ts";

let database: TestDatabase;
let inventory: RunningInventory;
let orderId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  inventory = await openInventory({ database });
});
beforeEach(async () => {
  orderId = randomUUID();
  await database.fill([{ id: "beans", stock: 10 }]);
});
afterAll(async () => {
  await inventory?.close();
  await database?.drop();
});

describe("OrderCreated", () => {
  it("pins what is held, so that it no longer expires", async () => {
    await reserve(4);
    await orderCreated(4);
    await expireAll();
    expect(await beans()).toEqual({ stock: 10, reserved: 4 });
    const { reservation } = await repeat(4);
    expect(reservation?.status).toBe(ReservationStatus.PINNED);
  });

  it("holds again what has expired", async () => {
    await reserve(4);
    await expireAll();
    await orderCreated(4);
    expect(await beans()).toEqual({ stock: 10, reserved: 4 });
    expect(await published(database, orderId)).toEqual(["StockReserved: 4 beans", "StockReserved: 4 beans"]);
  });

  it("tells that the order can't be filled when what has expired is gone, and never reserves for it again", async () => {
    await reserve(4);
    await expireAll();
    await reserve(8, randomUUID());
    await orderCreated(4);
    expect(await published(database, orderId)).toEqual(["StockReserved: 4 beans", "StockReleased EXPIRED: 4 beans"]);
    expect(await beans()).toEqual({ stock: 10, reserved: 8 });
    expect(await refusal(repeat(4))).toMatchObject({ code: Code.FailedPrecondition });
    // A payment may have been quicker than the news.
    await statusChanged(OrderStatus.CONFIRMED);
    await statusChanged(OrderStatus.CANCELLED);
    expect(await published(database, orderId)).toHaveLength(2);
    expect(await beans()).toEqual({ stock: 10, reserved: 8 });
  });

  it("reserves for an order that never did", async () => {
    await orderCreated(4);
    expect(await beans()).toEqual({ stock: 10, reserved: 4 });
    expect(await published(database, orderId)).toEqual(["StockReserved: 4 beans"]);
  });

  it("tells that an order for what nobody sells can't be filled", async () => {
    await orderCreated(4, "gold");
    expect(await published(database, orderId)).toEqual(["StockReleased EXPIRED: 4 gold"]);
  });

  it("doesn't take again what was released after it had expired", async () => {
    await reserve(4);
    await expireAll();
    await inventory.client.releaseReservation({ orderId });
    await inventory.client.releaseReservation({ orderId });
    expect(await beans()).toEqual({ stock: 10, reserved: 0 });
    await orderCreated(4);
    expect(await beans()).toEqual({ stock: 10, reserved: 0 });
    expect((await published(database, orderId)).slice(1)).toEqual([
      "StockReleased REQUESTED: 4 beans",
      "StockReleased REQUESTED: 4 beans",
    ]);
  });

  it("tells again what was released before there was an order to hear it", async () => {
    await reserve(4);
    await inventory.client.releaseReservation({ orderId });
    await orderCreated(4);
    expect((await published(database, orderId)).slice(1)).toEqual([
      "StockReleased REQUESTED: 4 beans",
      "StockReleased REQUESTED: 4 beans",
    ]);
  });
});

describe("OrderStatusChanged", () => {
  it("takes the stock of a confirmed order for good, once", async () => {
    await reserve(4);
    await orderCreated(4);
    await statusChanged(OrderStatus.CONFIRMED);
    await statusChanged(OrderStatus.CONFIRMED);
    expect(await beans()).toEqual({ stock: 6, reserved: 0 });
    expect(await published(database, orderId)).toEqual(["StockReserved: 4 beans", "StockCommitted: 4 beans"]);
  });

  it("sells to a confirmed order what had expired without a word of the order", async () => {
    await reserve(4);
    await expireAll();
    await statusChanged(OrderStatus.CONFIRMED);
    expect(await beans()).toEqual({ stock: 6, reserved: 0 });
  });

  it("tells a confirmed order of which nothing is known that it can't be filled", async () => {
    await statusChanged(OrderStatus.CONFIRMED);
    expect(await published(database, orderId)).toEqual(["StockReleased EXPIRED: "]);
  });

  it("frees what is set aside for a cancelled order, once", async () => {
    await reserve(4);
    await orderCreated(4);
    await statusChanged(OrderStatus.CANCELLED);
    await statusChanged(OrderStatus.CANCELLED);
    expect(await beans()).toEqual({ stock: 10, reserved: 0 });
    expect(await published(database, orderId)).toEqual([
      "StockReserved: 4 beans",
      "StockReleased ORDER_CANCELLED: 4 beans",
    ]);
  });

  it("puts back what was sold to a cancelled order, once", async () => {
    await reserve(4);
    await orderCreated(4);
    await statusChanged(OrderStatus.CONFIRMED);
    await statusChanged(OrderStatus.CANCELLED);
    await statusChanged(OrderStatus.CANCELLED);
    expect(await beans()).toEqual({ stock: 10, reserved: 0 });
    expect((await published(database, orderId)).at(-1)).toBe("StockReleased ORDER_CANCELLED: 4 beans");
  });

  it("refuses a reservation for an order that was cancelled before it", async () => {
    await statusChanged(OrderStatus.CANCELLED);
    expect(await refusal(repeat(4))).toMatchObject({ code: Code.FailedPrecondition });
    await orderCreated(4);
    expect(await beans()).toEqual({ stock: 10, reserved: 0 });
    expect(await published(database, orderId)).toEqual([]);
  });

  it("leaves the stock alone when an order is shipped or delivered", async () => {
    await reserve(4);
    await orderCreated(4);
    await statusChanged(OrderStatus.CONFIRMED);
    await statusChanged(OrderStatus.SHIPPED);
    await statusChanged(OrderStatus.DELIVERED);
    expect(await beans()).toEqual({ stock: 6, reserved: 0 });
  });
});

describe("a handler's effect", () => {
  it("is undone with the transaction of its inbox", async () => {
    await reserve(4);
    const lost = database.store.transaction(async () => {
      await statusChanged(OrderStatus.CONFIRMED);
      throw new Error("the connection broke before the commit");
    });
    await expect(lost).rejects.toThrow("the connection broke");
    expect(await beans()).toEqual({ stock: 10, reserved: 4 });
    expect(await published(database, orderId)).toEqual(["StockReserved: 4 beans"]);
  });
});

const repeat = (quantity: number) =>
  inventory.client.reserveItems({ orderId, items: [{ productId: "beans", quantity }] });

async function reserve(quantity: number, forOrder = orderId): Promise<void> {
  await inventory.client.reserveItems({ orderId: forOrder, items: [{ productId: "beans", quantity }] });
}

const orderCreated = (quantity: number, productId = "beans") =>
  deliver(consumer(), OrderCreatedSchema, { orderId, items: [{ productId, quantity }] });

const statusChanged = (status: OrderStatus) => deliver(consumer(), OrderStatusChangedSchema, { orderId, status });

function consumer() {
  const { store } = database;
  const now = () => inventory.clock.now;
  const parts = { reservations: createReservationRepository(store), now, logger: silentLogger };
  return { store, subscriptions: [onOrderCreated(parts), onOrderStatusChanged(parts)] };
}

async function expireAll(): Promise<void> {
  inventory.clock.now = new Date(inventory.clock.now.getTime() + 60_000);
  while ((await inventory.sweep()) > 0);
}

function beans(): Promise<{ stock: number; reserved: number }> {
  const query = database.store.db.selectFrom("products").select(["stock", "reserved"]).where("id", "=", "beans");
  return query.executeTakeFirstOrThrow();
}

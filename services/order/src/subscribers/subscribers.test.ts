import { randomUUID } from "node:crypto";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { StockReleased, StockReleaseReason } from "@shop/contracts/inventory";
import { OrderCreated, OrderStatusChanged, OrderStatus as WireStatus } from "@shop/contracts/order";
import { PaymentCompleted, PaymentFailed, PaymentRefunded } from "@shop/contracts/payment";
import type { EventType, Subscription } from "@weft/events";
import * as testkit from "@weft/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cancelOrder } from "../app/cancel-order.ts";
import type { Orders } from "../app/orders.ts";
import { updateOrderStatus } from "../app/update-order-status.ts";
import { OrderNotFoundError } from "../domain/order.ts";
import { createOrderRepository } from "../store/order-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { newPlacement } from "../testing/orders.ts";
import { onPaymentCompleted } from "./payment-completed.ts";
import { onPaymentFailed } from "./payment-failed.ts";
import { onPaymentRefunded } from "./payment-refunded.ts";
import { onStockReleased } from "./stock-released.ts";

let database: TestDatabase;
let orders: Orders;
let subscriptions: Subscription[];
const at = new Date("2026-05-01T10:01:00Z");
const now = (): Date => at;

beforeAll(async () => {
  database = await createTestDatabase();
  orders = createOrderRepository(database.store);
  const parts = { orders, now };
  subscriptions = [onPaymentCompleted(parts), onPaymentFailed(parts), onPaymentRefunded(parts), onStockReleased(parts)];
});

beforeEach(() => database.empty());

afterAll(() => database?.drop());

const deliver = <D extends DescMessage>({ schema }: EventType<D>, event: MessageInitShape<D>) =>
  testkit.deliver({ store: database.store, subscriptions }, schema, event, { occurredAt: at });

const placed = async (): Promise<string> => (await orders.add(newPlacement())).id;

const published = (orderId: string) => testkit.published(database.store, [OrderCreated, OrderStatusChanged], orderId);

describe("what is published", () => {
  it("tells of the order with its payment token, then of each change, numbered as the order's versions", async () => {
    const orderId = await placed();
    await deliver(PaymentCompleted, { orderId });
    await cancelOrder(orders, now)(orderId, "changed my mind");
    expect(await published(orderId)).toMatchObject([
      {
        keySeq: 1n,
        event: {
          $typeName: "shop.order.v1.OrderCreated",
          paymentToken: "tok_visa",
          total: { currencyCode: "USD", minorUnits: 2900n },
          items: [{ productId: "mug", quantity: 2 }, { productId: "tea" }],
        },
      },
      { keySeq: 2n, event: { previousStatus: WireStatus.PENDING, status: WireStatus.CONFIRMED, reason: "" } },
      {
        keySeq: 3n,
        event: { previousStatus: WireStatus.CONFIRMED, status: WireStatus.CANCELLED, reason: "changed my mind" },
      },
    ]);
    expect((await orders.get(orderId))?.version).toBe(3);
  });

  it("is nothing when nothing changed, and nothing when the change was rolled back", async () => {
    const orderId = await placed();
    const cancel = cancelOrder(orders, now);
    await cancel(orderId, "");
    await cancel(orderId, "");
    await expect(
      database.store.transaction(async () => {
        await orders.add(newPlacement());
        throw new Error("rolled back");
      }),
    ).rejects.toThrow("rolled back");
    const { rows } = await sql`SELECT FROM weft.outbox`.execute(database.store.db);
    expect(rows).toHaveLength(2);
  });
});

describe("PaymentCompleted", () => {
  it("confirms the order, and a repeat changes nothing", async () => {
    const orderId = await placed();
    await deliver(PaymentCompleted, { orderId });
    await deliver(PaymentCompleted, { orderId });
    expect(await orders.get(orderId)).toMatchObject({ status: "CONFIRMED", version: 2, updatedAt: at });
  });

  it("comes too late for an order that was cancelled: the payment is refunded by that event", async () => {
    const orderId = await placed();
    await cancelOrder(orders, now)(orderId, "changed my mind");
    await deliver(PaymentCompleted, { orderId });
    expect(await orders.get(orderId)).toMatchObject({ status: "CANCELLED", version: 2 });
  });

  it("fails for an order that nobody placed, so that somebody looks at it", async () => {
    await expect(deliver(PaymentCompleted, { orderId: randomUUID() })).rejects.toThrow(OrderNotFoundError);
  });
});

describe("PaymentFailed", () => {
  it("cancels the order with the provider's reason", async () => {
    const orderId = await placed();
    await deliver(PaymentFailed, { orderId, reason: "card declined" });
    expect(await orders.get(orderId)).toMatchObject({
      status: "CANCELLED",
      reason: "the payment failed: card declined",
    });
  });
});

describe("PaymentRefunded", () => {
  it("cancels a confirmed order, so that it isn't shipped and its stock goes back", async () => {
    const orderId = await placed();
    await deliver(PaymentCompleted, { orderId });
    await deliver(PaymentRefunded, { orderId });
    await deliver(PaymentRefunded, { orderId });
    expect(await orders.get(orderId)).toMatchObject({ status: "CANCELLED", reason: "refunded", version: 3 });
    expect((await published(orderId)).at(-1)?.event).toMatchObject({ status: WireStatus.CANCELLED });
    await expect(updateOrderStatus(orders, now)(orderId, "SHIPPED", "")).rejects.toThrow(/CANCELLED is final/);
  });

  it.each([["SHIPPED"], ["SHIPPED", "DELIVERED"]] as const)(
    "changes nothing of an order that is %s",
    async (...way) => {
      const orderId = await placed();
      await deliver(PaymentCompleted, { orderId });
      for (const status of way) await updateOrderStatus(orders, now)(orderId, status, "");
      await deliver(PaymentRefunded, { orderId });
      expect(await orders.get(orderId)).toMatchObject({ status: way.at(-1), version: 2 + way.length });
    },
  );

  it("is no news for the order whose cancellation it follows from", async () => {
    const orderId = await placed();
    await deliver(PaymentCompleted, { orderId });
    await cancelOrder(orders, now)(orderId, "changed my mind");
    await deliver(PaymentRefunded, { orderId });
    expect(await orders.get(orderId)).toMatchObject({ reason: "changed my mind", version: 3 });
    expect(await published(orderId)).toHaveLength(3);
  });
});

describe("StockReleased", () => {
  const items = [{ productId: "mug", quantity: 2 }];

  it.each([StockReleaseReason.EXPIRED, StockReleaseReason.REQUESTED])(
    "cancels an order whose stock is gone, paid or not (reason %i)",
    async (reason) => {
      const pending = await placed();
      const confirmed = await placed();
      await deliver(PaymentCompleted, { orderId: confirmed });
      for (const orderId of [pending, confirmed]) {
        await deliver(StockReleased, { orderId, items, reason });
        const order = await orders.get(orderId);
        expect(order?.status).toBe("CANCELLED");
        expect(order?.reason).toMatch(/mug/);
      }
    },
  );

  it("is no news when it follows from a cancelled order", async () => {
    const orderId = await placed();
    await deliver(StockReleased, { orderId, items, reason: StockReleaseReason.ORDER_CANCELLED });
    expect((await orders.get(orderId))?.status).toBe("PENDING");
  });

  it("leaves an order alone that left the house", async () => {
    const orderId = await placed();
    await deliver(PaymentCompleted, { orderId });
    await updateOrderStatus(orders, now)(orderId, "SHIPPED", "");
    await deliver(StockReleased, { orderId, items, reason: StockReleaseReason.EXPIRED });
    expect((await orders.get(orderId))?.status).toBe("SHIPPED");
  });

  it("is none of ours when it was held for no order", async () => {
    const orderId = randomUUID();
    await deliver(StockReleased, { orderId, items, reason: StockReleaseReason.EXPIRED });
    expect(await orders.get(orderId)).toBeUndefined();
  });
});

describe("an order that is added twice", () => {
  it("is the first one, without a second event", async () => {
    const placement = newPlacement();
    const first = await orders.add(placement);
    const later = { ...placement.order, createdAt: at, updatedAt: at };
    expect(await orders.add({ ...placement, order: later })).toEqual(first);
    expect(await published(first.id)).toHaveLength(1);
  });

  it("is refused when it is another one", async () => {
    const placement = newPlacement();
    await orders.add(placement);
    const other = { ...placement.order, items: placement.order.items.slice(0, 1) };
    await expect(orders.add({ ...placement, order: other })).rejects.toThrow(/use a new key/);
  });
});

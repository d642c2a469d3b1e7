import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import {
  OrderCreated,
  OrderCreatedSchema,
  OrderStatusChanged,
  OrderStatusChangedSchema,
  OrderStatus as Status,
} from "@shop/contracts/order";
import * as testkit from "@weft/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cancelOrder } from "../app/cancel-order.ts";
import type { Orders } from "../app/orders.ts";
import { giveUpPayment } from "../app/settle-order.ts";
import { updateOrderStatus } from "../app/update-order-status.ts";
import { placeOrder } from "../domain/order.ts";
import { createOrderRepository } from "../store/order-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { onPaymentCompleted } from "./payment-completed.ts";
import { onPaymentFailed } from "./payment-failed.ts";
import { onPaymentRefunded } from "./payment-refunded.ts";
import { onStockReleased } from "./stock-released.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));

/** How each history's orders ended, in the order in which they were placed. */
const ends: Readonly<Record<string, readonly string[]>> = {
  "cancelled-before-the-charge": ["CANCELLED: the customer changed their mind"],
  "cancelled-while-charged": ["CANCELLED: the customer changed their mind"],
  "cancelled-once-confirmed": ["CANCELLED: the customer changed their mind"],
  declined: ["CANCELLED: the payment failed: card_declined"],
  "newer-publisher": ["CONFIRMED: "],
  paid: ["CONFIRMED: "],
  "payment-timed-out": ["CANCELLED: the payment did not arrive in time"],
  "refunded-by-an-operator": ["CANCELLED: refunded"],
  "shipped-and-delivered": ["DELIVERED: "],
  "stock-gone": ["CANCELLED: the reservation expired, and the stock is gone: moka-pot", "CONFIRMED: "],
  "two-orders-of-one-user": ["CANCELLED: the customer changed their mind", "CONFIRMED: "],
  "user-created-updated-deleted": [],
};

let database: TestDatabase;
let orders: Orders;
let replay: testkit.Replay;
let at: Date;
const now = (): Date => at;

beforeAll(async () => {
  database = await createTestDatabase();
  orders = createOrderRepository(database.store);
});

beforeEach(async () => {
  await database.empty();
  const parts = { orders, now };
  replay = testkit.startReplay({
    service: "order",
    store: database.store,
    subscriptions: [
      onPaymentCompleted(parts),
      onPaymentFailed(parts),
      onPaymentRefunded(parts),
      onStockReleased(parts),
    ],
  });
});

afterEach(() => replay.close());

afterAll(() => database?.drop());

/** Lets it happen again: what came to the order service comes, and what customers, operators and the clock did is done. */
async function play(events: readonly testkit.RecordedEvent[]): Promise<void> {
  for (const event of events) {
    at = testkit.momentFor("order", event);
    if (testkit.isOf("order", event)) await act(event);
    else await replay.deliver(event);
  }
}

async function act(event: testkit.RecordedEvent): Promise<void> {
  const created = testkit.recordedAs(OrderCreatedSchema, event);
  if (created) return place(created);
  const changed = testkit.recordedAs(OrderStatusChangedSchema, event);
  if (!changed) return;
  const { orderId, status, reason } = changed;
  if (status === Status.SHIPPED) await updateOrderStatus(orders, now)(orderId, "SHIPPED", reason);
  if (status === Status.DELIVERED) await updateOrderStatus(orders, now)(orderId, "DELIVERED", reason);
  if (reason === "the customer changed their mind") await cancelOrder(orders, now)(orderId, reason);
  if (reason === "the payment did not arrive in time") await giveUpPayment(orders, now)(orderId, reason);
}

async function place({ orderId, userId, items, paymentToken, total }: OrderCreated): Promise<void> {
  // No order is without a total: such an event came from elsewhere.
  if (!total) return;
  const priced = items.map(({ productId, quantity, unitPrice }) => ({
    ...{ productId, quantity },
    unitPrice: { currencyCode: unitPrice?.currencyCode ?? "", minorUnits: unitPrice?.minorUnits ?? 0n },
  }));
  await orders.add({ order: placeOrder(orderId, userId, priced, at), paymentToken, payBy: at });
}

/** The orders that were placed in a history, in that order. */
function placedIn(events: readonly testkit.RecordedEvent[]): readonly string[] {
  return testkit.asSeenBy("order", { events }).flatMap((event) => {
    const created = testkit.recordedAs(OrderCreatedSchema, event);
    return created?.total ? [created.orderId] : [];
  });
}

const endsOf = (ids: readonly string[]) =>
  Promise.all(ids.map((id) => orders.get(id).then((order) => `${order?.status}: ${order?.reason}`)));

/** What an order's events say, but for the time. */
async function toldOf(orderId: string) {
  const events = await testkit.published(database.store, [OrderCreated, OrderStatusChanged], orderId);
  return events.map(({ subject, event }) => ({ subject, ...untimed(toJson(schemaOf(subject), event)) }));
}

const wasTold = (events: readonly testkit.RecordedEvent[], orderId: string) =>
  testkit.toldBy("order", events, orderId).map(({ subject, message }) => ({ subject, ...untimed(message) }));

function schemaOf(subject: string) {
  return subject === OrderCreatedSchema.typeName ? OrderCreatedSchema : OrderStatusChangedSchema;
}

function untimed(message: unknown): object {
  return { ...(message as object), createdAt: undefined, changedAt: undefined };
}

/** All that there is of orders. */
async function effects() {
  const { db } = database.store;
  return {
    orders: await db.selectFrom("orders").selectAll().orderBy("id").execute(),
    changes: await db.selectFrom("order_changes").selectAll().orderBy("order_id").orderBy("version").execute(),
  };
}

describe.each(histories)("the recorded history $name", (history) => {
  const events = testkit.asSeenBy("order", history);

  it("ends as it did, and tells the same", async () => {
    await play(events);
    expect(await endsOf(placedIn(events))).toEqual(ends[history.name]);
    for (const id of placedIn(events)) expect(await toldOf(id)).toEqual(wasTold(events, id));
    expect(await testkit.deadLetters(database.store)).toEqual([]);
  });

  it("has no second effect when its events come again, nor when the inbox has forgotten them", async () => {
    await play(events);
    const { once, again, forgotten } = await testkit.deliverAgain(events, { replay, store: database.store, effects });
    expect(again).toEqual(once);
    expect(forgotten).toEqual(once);
  });
});

it.each([1, 2, 3, 4, 5])("all histories at once end as each did, whichever order comes first (%i)", async (seed) => {
  const all = histories.flatMap((history) => testkit.asSeenBy("order", history));
  await play(testkit.interleave(all, seed));
  for (const { name, events } of histories) expect(await endsOf(placedIn(events)), name).toEqual(ends[name]);
  expect(await testkit.deadLetters(database.store)).toEqual([]);
});

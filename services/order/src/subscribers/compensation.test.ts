import { join } from "node:path";
import { OrderCreated, OrderCreatedSchema, OrderStatusChanged } from "@shop/contracts/order";
import * as testkit from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrderRepository } from "../store/order-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { newOrder, newPlacement } from "../testing/orders.ts";
import { onPaymentCompleted } from "./payment-completed.ts";
import { onPaymentFailed } from "./payment-failed.ts";
import { onPaymentRefunded } from "./payment-refunded.ts";
import { onStockReleased } from "./stock-released.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

/** The events that came to the order of a history, through subscriptions that fail in that way first; its id. */
async function play(name: string, failure: testkit.Failure): Promise<string> {
  await database.empty();
  const { events } = histories.find((each) => each.name === name) ?? expect.unreachable(`there is no history ${name}`);
  const [id = ""] = events.flatMap((event) => testkit.recordedAs(OrderCreatedSchema, event)?.orderId ?? []);
  const orders = createOrderRepository(database.store);
  await orders.add(newPlacement({ ...newOrder(), id }));
  const parts = { orders, now: () => new Date() };
  const subscriptions = [onPaymentCompleted, onPaymentFailed, onPaymentRefunded, onStockReleased].map((on) =>
    testkit.failingAtFirst(on(parts), failure),
  );
  const replay = testkit.startReplay({ service: "order", store: database.store, subscriptions });
  for (const event of events.filter(({ headers }) => headers["ce-partitionkey"] === id)) {
    if (!testkit.isOf("order", event)) await replay.deliver(event);
  }
  await replay.close();
  return id;
}

const reasons = {
  declined: "the payment failed: card_declined",
  "stock-gone": "the reservation expired, and the stock is gone: moka-pot",
  "refunded-by-an-operator": "refunded",
};

describe.each(testkit.failures)("though $name", (failure) => {
  it.each(Object.entries(reasons))(
    "an order that can't go on (%s) is cancelled, and that is told once",
    async (name, reason) => {
      const id = await play(name, failure);
      expect(await createOrderRepository(database.store).get(id)).toMatchObject({ status: "CANCELLED", reason });
      const told = await testkit.published(database.store, [OrderCreated, OrderStatusChanged], id);
      expect(told.filter(({ event }) => "reason" in event && event.reason === reason)).toHaveLength(1);
      expect(await testkit.deadLetters(database.store)).toEqual([]);
    },
  );
});

import { join } from "node:path";
import { OrderCreatedSchema } from "@shop/contracts/order";
import { silentLogger } from "@weft/telemetry";
import * as testkit from "@weft/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createReservationRepository } from "../store/reservation-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { published } from "../testing/published.ts";
import { onOrderCreated } from "./order-created.ts";
import { onOrderStatusChanged } from "./order-status-changed.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

/** Everything that happens to the orders of a history, through subscriptions that fail in that way first. */
async function play(name: string, failure: testkit.Failure): Promise<string> {
  await database.fill([{ id: "espresso-beans", stock: 100 }]);
  const { events } = histories.find((each) => each.name === name) ?? expect.unreachable(`there is no history ${name}`);
  const parts = {
    reservations: createReservationRepository(database.store),
    now: () => new Date(),
    logger: silentLogger,
  };
  const subscriptions = [onOrderCreated(parts), onOrderStatusChanged(parts)];
  const replay = testkit.startReplay({
    service: "inventory",
    store: database.store,
    subscriptions: subscriptions.map((subscription) => testkit.failingAtFirst(subscription, failure)),
  });
  for (const event of events) await replay.deliver(event);
  await replay.close();
  const [orderId = ""] = events.flatMap((event) => testkit.recordedAs(OrderCreatedSchema, event)?.orderId ?? []);
  return orderId;
}

const beans = () => database.store.db.selectFrom("products").select(["stock", "reserved"]).executeTakeFirst();

it.each(testkit.failures)("frees what a cancelled order held, once, though $name", async (failure) => {
  const orderId = await play("cancelled-before-the-charge", failure);
  expect(await beans()).toEqual({ stock: 100, reserved: 0 });
  expect(await published(database, orderId)).toEqual([
    "StockReserved: 1 espresso-beans",
    "StockReleased ORDER_CANCELLED: 1 espresso-beans",
  ]);
  expect(await testkit.deadLetters(database.store)).toEqual([]);
});

it.each(testkit.failures)("puts back what was sold to a cancelled order, once, though $name", async (failure) => {
  const orderId = await play("cancelled-once-confirmed", failure);
  expect(await beans()).toEqual({ stock: 100, reserved: 0 });
  expect(await published(database, orderId)).toEqual([
    "StockReserved: 2 espresso-beans",
    "StockCommitted: 2 espresso-beans",
    "StockReleased ORDER_CANCELLED: 2 espresso-beans",
  ]);
  expect(await testkit.deadLetters(database.store)).toEqual([]);
});

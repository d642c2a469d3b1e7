import { silentLogger } from "@weft/telemetry";
import { createLargeDatabase, type LargeDatabase } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newPlacement, placedAt } from "../testing/orders.ts";
import { openOrderFeed } from "./order-feed.ts";
import { createOrderRepository } from "./order-repository.ts";
import { migrations, type OrderDatabase } from "./schema.ts";
import { createTimerRepository } from "./timer-repository.ts";

/** A thousand users with a hundred orders each, all with their history and a timer. */
const orders = `
  INSERT INTO orders
  SELECT gen_random_uuid(), lpad((n % 1000)::text, 32, '0')::uuid, '[]', 'USD', 100, 'DELIVERED', '', 4,
    timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2026-01-01' + n * interval '1 minute'
  FROM generate_series(1, 100000) AS n;
  INSERT INTO order_changes SELECT id, v, 'DELIVERED', '', updated_at FROM orders, generate_series(2, 3) AS v;
  INSERT INTO order_timers SELECT id, 'payment_timeout', created_at FROM orders`;

let database: LargeDatabase<OrderDatabase>;
beforeAll(async () => {
  database = await createLargeDatabase("order", migrations, orders);
});
afterAll(() => database?.drop());

describe("among 100,000 orders", () => {
  it("each statement of the store finds its rows by an index", async () => {
    const { store } = database;
    const orders = createOrderRepository(store);
    const placed = newPlacement();
    const { id, userId } = await orders.add(placed);
    await orders.add(placed);
    await orders.change(id, (order) => ({ ...order, status: "CONFIRMED", version: order.version + 1 }));
    await orders.get(id);
    const [newest] = await orders.pageOfUser(userId, undefined, 50);
    await orders.pageOfUser(userId, newest, 50);
    const timers = createTimerRepository(store);
    await timers.takeDue(placedAt, async () => {});
    await timers.postpone({ orderId: id, kind: "payment_timeout", attempt: 1 }, placedAt);
    const feed = await openOrderFeed({ store, logger: silentLogger });
    for await (const { version } of feed.after(id, placed.order.version, new AbortController().signal)) {
      if (version > placed.order.version) break;
    }
    await feed.close();
    expect(await database.sequentialScans()).toEqual([]);
  });
});

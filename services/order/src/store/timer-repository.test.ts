import { OrderCreated, OrderStatusChanged } from "@shop/contracts/order";
import { openStore, type Store } from "@weft/store";
import { silentLogger } from "@weft/telemetry";
import { published } from "@weft/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fireTimers } from "../app/fire-timers.ts";
import type { Orders } from "../app/orders.ts";
import { confirmOrder } from "../app/settle-order.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { startHangingTimer } from "../testing/hanging-timer.ts";
import { newOrder, newPlacement, placedAt } from "../testing/orders.ts";
import { createOrderRepository } from "./order-repository.ts";
import type { OrderDatabase } from "./schema.ts";
import { createTimerRepository } from "./timer-repository.ts";

let database: TestDatabase;
let orders: Orders;

beforeAll(async () => {
  database = await createTestDatabase();
  orders = createOrderRepository(database.store);
});

beforeEach(() => database.empty());

afterAll(() => database?.drop());

const later = (ms: number): Date => new Date(placedAt.getTime() + ms);
const never = new AbortController().signal;
const firing = (store: Store<OrderDatabase>, now: Date) =>
  fireTimers({
    timers: createTimerRepository(store),
    orders: createOrderRepository(store),
    logger: silentLogger,
    now: () => now,
    pauseMs: () => 10_000,
  });
const fireAt = (now: Date, signal = never) => firing(database.store, now)(signal);
const place = async () => (await orders.add(newPlacement())).id;
const timersLeft = async () => (await database.store.db.selectFrom("order_timers").selectAll().execute()).length;

describe("the time-out of a payment", () => {
  it("cancels a PENDING order at its time, not a millisecond before, and once", async () => {
    const id = await place();
    expect(await fireAt(later(59_999))).toBe(0);
    expect((await orders.get(id))?.status).toBe("PENDING");
    expect(await fireAt(later(60_000))).toBe(1);
    const cancelled = await orders.get(id);
    expect(cancelled).toMatchObject({ status: "CANCELLED", reason: "the payment did not arrive in time", version: 2 });
    expect(await fireAt(later(120_000))).toBe(0);
    expect(await orders.get(id)).toEqual(cancelled);
  });

  it("leaves an order alone that was paid meanwhile", async () => {
    const id = await place();
    const confirmed = await confirmOrder(orders, () => later(30_000))(id);
    expect(await fireAt(later(60_000))).toBe(1);
    expect(await orders.get(id)).toEqual(confirmed);
  });

  it("survives the process that set it", async () => {
    const id = await place();
    const restarted = openStore<OrderDatabase>({ url: database.url, application: "order-test" });
    expect(await firing(restarted, later(60_000))(never)).toBe(1);
    expect((await createOrderRepository(restarted).get(id))?.status).toBe("CANCELLED");
    await restarted.close();
  });

  it("fires once an order when many processes look at once", async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, place));
    const fired = await Promise.all(Array.from({ length: 8 }, () => fireAt(later(60_000))));
    // A process that found all that was left in others' hands stops early; the next poll finds none.
    const total = fired.reduce((sum, each) => sum + each, 0) + (await fireAt(later(60_000)));
    expect(total).toBe(30);
    for (const id of ids) {
      expect(await orders.get(id)).toMatchObject({ status: "CANCELLED", version: 2 });
      expect(await published(database.store, [OrderCreated, OrderStatusChanged], id)).toHaveLength(2);
    }
  });

  it("fires once though a process is killed between its work and its commit", async () => {
    const id = await place();
    const victim = await startHangingTimer(database.url, later(60_000));
    expect(await fireAt(later(60_000)), "it is in the victim's hands").toBe(0);
    expect((await orders.get(id))?.status).toBe("PENDING");
    await victim.kill();
    await expect.poll(() => fireAt(later(60_000))).toBe(1);
    expect(await fireAt(later(120_000))).toBe(0);
    expect(await orders.get(id)).toMatchObject({ status: "CANCELLED", version: 2 });
    expect(await published(database.store, [OrderCreated, OrderStatusChanged], id)).toHaveLength(2);
    expect(await timersLeft()).toBe(0);
  });

  it("lets another process take the next while one is being fired", async () => {
    await Promise.all([place(), place()]);
    const timers = createTimerRepository(database.store);
    const taken = Promise.withResolvers<string>();
    const finish = Promise.withResolvers<void>();
    const first = timers.takeDue(later(60_000), async ({ orderId }) => {
      taken.resolve(orderId);
      await finish.promise;
    });
    const inHand = await taken.promise;
    const others: string[] = [];
    const note = async ({ orderId }: { orderId: string }): Promise<void> => void others.push(orderId);
    try {
      expect(await timers.takeDue(later(60_000), note)).toBe(true);
      expect(await timers.takeDue(later(60_000), note)).toBe(false);
    } finally {
      finish.resolve();
    }
    expect(await first).toBe(true);
    expect(others).toHaveLength(1);
    expect(others).not.toContain(inHand);
  });

  it("is still there when firing failed", async () => {
    await place();
    const timers = createTimerRepository(database.store);
    const failing = timers.takeDue(later(60_000), async () => {
      throw new Error("the process died here");
    });
    await expect(failing).rejects.toThrow("the process died here");
    expect(await timersLeft()).toBe(1);
    expect(await fireAt(later(60_000))).toBe(1);
    expect(await timersLeft()).toBe(0);
  });

  it("holds nobody up who changes the order at the same moment", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, place));
    const confirm = confirmOrder(orders, () => later(60_000));
    await Promise.all([fireAt(later(60_000)), ...ids.map(confirm)]);
    await fireAt(later(60_000));
    for (const id of ids) expect(await orders.get(id)).toMatchObject({ version: 2 });
    expect(await timersLeft()).toBe(0);
  });

  it("fires no more once its worker closes", async () => {
    await orders.add(newPlacement(newOrder()));
    expect(await fireAt(later(60_000), AbortSignal.abort())).toBe(0);
    expect(await timersLeft()).toBe(1);
  });
});

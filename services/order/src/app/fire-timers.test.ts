import { isUnavailable, openStore } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOrderRepository } from "../store/order-repository.ts";
import type { OrderDatabase } from "../store/schema.ts";
import { createTimerRepository } from "../store/timer-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { newOrder, newPlacement, placedAt } from "../testing/orders.ts";
import { fireTimers, type Timers } from "./fire-timers.ts";
import type { Orders } from "./orders.ts";

const broken = new Set<string>();
const failures: object[] = [];
let database: TestDatabase;
let timers: Timers;
let orders: Orders;
/** Can't change an order that is broken. */
let fragile: Orders;

beforeAll(async () => {
  database = await createTestDatabase();
  timers = createTimerRepository(database.store);
  orders = createOrderRepository(database.store);
  fragile = {
    ...orders,
    change: (id, change) => (broken.has(id) ? Promise.reject(new Error("it breaks")) : orders.change(id, change)),
  };
});
beforeEach(async () => {
  broken.clear();
  failures.length = 0;
  await database.empty();
});
afterAll(() => database?.drop());

const later = (ms: number): Date => new Date(placedAt.getTime() + ms);
const pauseMs = (attempt: number) => attempt * 1_000;
const logger: Logger = { ...silentLogger, error: (fields) => void failures.push(fields) };
const fireAt = (now: Date, kept = timers) =>
  fireTimers({ timers: kept, orders: fragile, logger, now: () => now, pauseMs })(new AbortController().signal);
const place = async (at = placedAt) => (await orders.add(newPlacement(newOrder(undefined, at)))).id;
const statusOf = async (id: string) => (await orders.get(id))?.status;

async function placeBroken(): Promise<string> {
  const id = await place();
  broken.add(id);
  return id;
}

describe("a timer that fails", () => {
  it("holds up no other, is named in the log, and fires at its next attempt once it is mended", async () => {
    const id = await placeBroken();
    const sound = await place(later(1));
    expect(await fireAt(later(60_001))).toBe(2);
    expect(await statusOf(sound)).toBe("CANCELLED");
    expect(failures).toEqual([{ orderId: id, kind: "payment_timeout", attempt: 1, error: new Error("it breaks") }]);

    broken.clear();
    expect(await fireAt(later(61_000)), "not before its pause is over").toBe(0);
    expect(await fireAt(later(61_001))).toBe(1);
    expect(await statusOf(id)).toBe("CANCELLED");
    expect(failures).toHaveLength(1);
  });

  it("waits longer after each attempt", async () => {
    await placeBroken();
    const tried: number[] = [];
    for (const second of [60, 61, 62, 63, 64, 65, 66]) tried.push(await fireAt(later(second * 1_000)));
    expect(tried).toEqual([1, 1, 0, 1, 0, 0, 1]);
    expect(failures).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }, { attempt: 4 }]);
  });

  it("keeps nobody from the others though there are more of its kind than one batch", async () => {
    await Promise.all(Array.from({ length: 150 }, placeBroken));
    const sound = await place(later(1));
    expect(await fireAt(later(60_001))).toBe(100);
    expect(await fireAt(later(60_001))).toBe(51);
    expect(await statusOf(sound)).toBe("CANCELLED");
    expect(await fireAt(later(60_001))).toBe(0);

    broken.clear();
    while ((await fireAt(later(61_001))) > 0);
    const left = database.store.db.selectFrom("orders").select("id").where("status", "=", "PENDING").execute();
    expect(await left).toEqual([]);
    expect(failures).toHaveLength(150);
  });
});

describe("a database that is away", () => {
  let closed: Timers;
  beforeAll(async () => {
    const store = openStore<OrderDatabase>({ url: database.url, application: "order test" });
    await store.close();
    closed = createTimerRepository(store);
  });

  it("makes it reject, and leaves each timer due as it was", async () => {
    const id = await placeBroken();
    const { postpone } = closed;
    await expect(fireAt(later(60_000), closed)).rejects.toSatisfy(isUnavailable);
    await expect(fireAt(later(60_000), { ...timers, postpone })).rejects.toSatisfy(isUnavailable);
    broken.clear();
    expect(await fireAt(later(60_000))).toBe(1);
    expect(await statusOf(id)).toBe("CANCELLED");
  });

  it("doesn't make it reject when something was fired before", async () => {
    await place();
    const left = await place(later(1));
    broken.add(left);
    const { postpone } = closed;
    expect(await fireAt(later(60_001), { ...timers, postpone })).toBe(1);
    broken.clear();
    expect(await fireAt(later(60_001))).toBe(1);
    expect(await statusOf(left)).toBe("CANCELLED");
  });
});

import { randomUUID } from "node:crypto";
import { isUnavailable, openStore } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createReservationRepository } from "../store/reservation-repository.ts";
import type { InventoryDatabase } from "../store/schema.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { expireReservations } from "./expire-reservations.ts";
import type { Reservations } from "./reservations.ts";
import { reserveItems } from "./reserve-items.ts";

let database: TestDatabase;
let reservations: Reservations;
let at: Date;
const failures: object[] = [];

const pauseMs = (attempt: number) => attempt * 1_000;
const now = () => at;
const logger: Logger = { ...silentLogger, error: (fields) => void failures.push(fields) };

beforeAll(async () => {
  database = await createTestDatabase();
  reservations = createReservationRepository(database.store);
});
beforeEach(async () => {
  at = new Date("2026-05-01T10:00:00Z");
  failures.length = 0;
  await database.fill([
    { id: "beans", stock: 1_000 },
    { id: "kettle", stock: 1_000 },
  ]);
});
afterAll(() => database?.drop());

const sweep = (kept = reservations) =>
  expireReservations({ reservations: kept, logger, now, pauseMs })(new AbortController().signal);
const pass = (ms: number): void => {
  at = new Date(at.getTime() + ms);
};

async function reserve(productId: string, ttlMs = 1_000): Promise<string> {
  const orderId = randomUUID();
  await reserveItems(reservations, now, ttlMs)({ orderId, items: [{ productId, quantity: 1 }] });
  return orderId;
}

async function reserved(id: string): Promise<number | undefined> {
  const product = await database.store.db.selectFrom("products").select("reserved").where("id", "=", id).execute();
  return product[0]?.reserved;
}

/** Reservations of it can't be freed until it is back. */
async function lose(id: string): Promise<{ mend(): Promise<void> }> {
  const lost = await database.store.db.deleteFrom("products").where("id", "=", id).returningAll().executeTakeFirst();
  if (!lost) throw new Error(`there is no ${id}`);
  const price_minor_units = BigInt(lost.price_minor_units);
  return {
    async mend() {
      await database.store.db
        .insertInto("products")
        .values({ ...lost, price_minor_units })
        .execute();
    },
  };
}

describe("a reservation that can't be freed", () => {
  it("holds up no other, is named in the log, and is freed at its next attempt once it is mended", async () => {
    const broken = await reserve("beans");
    await reserve("kettle", 1_001);
    const { mend } = await lose("beans");
    pass(1_001);
    expect(await sweep()).toBe(2);
    expect(await reserved("kettle")).toBe(0);
    expect(failures).toMatchObject([
      { orderId: broken, attempt: 1, error: { message: expect.stringContaining("beans") } },
    ]);

    await mend();
    pass(999);
    expect(await sweep(), "not before its pause is over").toBe(0);
    pass(1);
    expect(await sweep()).toBe(1);
    expect(await reserved("beans")).toBe(0);
    expect(failures).toHaveLength(1);
  });

  it("waits longer after each attempt, and from the beginning once it is held again", async () => {
    const orderId = await reserve("beans");
    const { mend } = await lose("beans");
    pass(1_000);
    await sweep();
    pass(1_000);
    await sweep();
    pass(1_999);
    expect(await sweep()).toBe(0);
    pass(1);
    expect(await sweep()).toBe(1);
    expect(failures).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }]);

    await mend();
    await reserveItems(reservations, now, 1_000)({ orderId, items: [{ productId: "beans", quantity: 1 }] });
    pass(1_000);
    expect(await reservations.due(now(), 1)).toEqual([{ orderId, attempt: 1 }]);
  });

  it("keeps nobody from the others though there are more of its kind than one sweep looks at", async () => {
    const broken = await Promise.all(Array.from({ length: 150 }, () => reserve("beans")));
    await reserve("kettle", 1_001);
    const { mend } = await lose("beans");
    pass(1_001);
    expect(await sweep()).toBe(100);
    expect(await sweep()).toBe(51);
    expect(await reserved("kettle")).toBe(0);
    expect(await sweep()).toBe(0);
    expect(failures.map((failure) => (failure as { orderId: string }).orderId).toSorted()).toEqual(broken.toSorted());

    await mend();
    pass(1_000);
    while ((await sweep()) > 0);
    expect(await reserved("beans")).toBe(0);
  });

  it("is passed over while somebody keeps it locked", async () => {
    const locked = await reserve("beans");
    await reserve("kettle", 1_001);
    pass(1_001);
    const client = await database.store.connect("somebody");
    try {
      await client.query("BEGIN");
      await client.query("SELECT FROM reservations WHERE order_id = $1 FOR UPDATE", [locked]);
      expect(await sweep()).toBe(1);
      expect(await reserved("kettle")).toBe(0);
    } finally {
      await client.end();
    }
    await expect.poll(() => sweep()).toBe(1);
    expect(await reserved("beans")).toBe(0);
    expect(failures).toEqual([]);
  });
});

describe("a database that is away", () => {
  it("is nobody's fault: the sweep rejects, and nothing is postponed", async () => {
    await reserve("beans");
    pass(1_000);
    const closed = openStore<InventoryDatabase>({ url: database.url, application: "inventory test" });
    await closed.close();
    const { change, postpone } = createReservationRepository(closed);
    await expect(sweep({ ...reservations, change, postpone })).rejects.toSatisfy(isUnavailable);
    await expect(sweep(createReservationRepository(closed))).rejects.toSatisfy(isUnavailable);
    expect(await sweep()).toBe(1);
    expect(await reserved("beans")).toBe(0);
  });

  it("doesn't make a sweep reject that has freed something before", async () => {
    await reserve("beans");
    const left = await reserve("kettle", 1_001);
    pass(1_001);
    const closed = openStore<InventoryDatabase>({ url: database.url, application: "inventory test" });
    await closed.close();
    const away = createReservationRepository(closed);
    const going: Reservations = {
      ...reservations,
      change: (id, step) => (id === left ? away : reservations).change(id, step),
      postpone: away.postpone,
    };
    expect(await sweep(going)).toBe(1);
    expect(await reservations.due(now(), 2)).toEqual([{ orderId: left, attempt: 1 }]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

describe("the catalogue of a new shop", () => {
  it("has plenty, a scarce product and one that is sold out, all of it free to reserve", async () => {
    const products = await database.store.db.selectFrom("products").selectAll().execute();
    expect(products.length).toBeGreaterThanOrEqual(8);
    expect(products.filter(({ stock }) => stock >= 10_000).length).toBeGreaterThanOrEqual(3);
    expect(products.find(({ id }) => id === "moka-pot")?.stock).toBe(5);
    expect(products.find(({ id }) => id === "travel-press")?.stock).toBe(0);
    expect(products.filter(({ reserved }) => reserved > 0)).toEqual([]);
  });

  it("has ids that the contract allows, and prices above nothing", async () => {
    for (const { id, price_minor_units } of await database.store.db.selectFrom("products").selectAll().execute()) {
      expect(id).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
      expect(BigInt(price_minor_units)).toBeGreaterThan(0n);
    }
  });
});

const checkViolation = "23514";

describe("the database refuses, whoever asks,", () => {
  it.each([
    ["a price of nothing", { price_minor_units: 0n }],
    ["a negative price", { price_minor_units: -1n }],
    ["negative stock", { stock: -1 }],
    ["a negative reserve", { reserved: -1 }],
    ["more in reserve than in stock", { reserved: 6 }],
  ])("%s", async (_, change) => {
    const update = database.store.db.updateTable("products").set(change).where("id", "=", "moka-pot").execute();
    await expect(update).rejects.toMatchObject({ code: checkViolation });
  });

  it("a released reservation without a cause", async () => {
    const row = { order_id: "b0000000-0000-4000-8000-000000000001", items: "[]", expires_at: new Date(0) };
    const released = database.store.db
      .insertInto("reservations")
      .values({ ...row, state: "released" })
      .execute();
    await expect(released).rejects.toMatchObject({ code: checkViolation });
  });
});

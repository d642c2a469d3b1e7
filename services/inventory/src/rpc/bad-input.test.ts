import { Code } from "@connectrpc/connect";
import { refusal } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { openInventory, type RunningInventory } from "../testing/running-inventory.ts";

let database: TestDatabase;
let inventory: RunningInventory;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.fill([{ id: "beans", stock: 100 }]);
  inventory = await openInventory({ database });
});
afterAll(async () => {
  await inventory?.close();
  await database?.drop();
});

describe("what a caller may send", () => {
  const orderId = "b0000000-0000-4000-8000-000000000001";
  const item = { productId: "beans", quantity: 1 };
  const bad: [method: keyof RunningInventory["client"], request: object, field: string][] = [
    ["getProduct", {}, "product_id"],
    ["getProduct", { productId: "Beans" }, "product_id"],
    ["getProduct", { productId: "be\0ans" }, "product_id"],
    ["getProduct", { productId: "b".repeat(65) }, "product_id"],
    ["listProducts", { pageSize: -1 }, "page_size"],
    ["listProducts", { pageSize: 101 }, "page_size"],
    ["listProducts", { pageToken: "a\0b" }, "page_token"],
    ["listProducts", { pageToken: "a".repeat(201) }, "page_token"],
    ["checkAvailability", {}, "items"],
    ["checkAvailability", { items: Array.from({ length: 101 }, () => item) }, "items"],
    ["checkAvailability", { items: [{ productId: "beans" }] }, "items[0].quantity"],
    ["checkAvailability", { items: [item, { productId: "beans", quantity: -1 }] }, "items[1].quantity"],
    ["getAvailability", { quantity: 1 }, "product_id"],
    ["getAvailability", { productId: "beans", quantity: -1 }, "quantity"],
    ["getAvailability", { productId: "beans", quantity: 1_000_001 }, "quantity"],
    ["reserveItems", { items: [item] }, "order_id"],
    ["reserveItems", { orderId: "42", items: [item] }, "order_id"],
    ["reserveItems", { orderId }, "items"],
    [
      "reserveItems",
      { orderId, items: Array.from({ length: 101 }, (_, i) => ({ ...item, productId: `p${i}` })) },
      "items",
    ],
    ["reserveItems", { orderId, items: [{ productId: "beans", quantity: 0 }] }, "items[0].quantity"],
    ["reserveItems", { orderId, items: [item, item] }, "items"],
    ["reserveProduct", { orderId, quantity: 1 }, "product_id"],
    ["reserveProduct", { productId: "beans", quantity: 1 }, "order_id"],
    ["reserveProduct", { orderId, productId: "beans", quantity: -3 }, "quantity"],
    ["reserveProduct", { orderId, productId: "beans", quantity: 1_000_001 }, "quantity"],
    ["releaseReservation", {}, "order_id"],
    ["releaseReservation", { orderId, productId: "../beans" }, "product_id"],
    ["commitReservation", {}, "order_id"],
    ["commitReservation", { orderId: "not-a-uuid" }, "order_id"],
    ["restockProduct", { quantity: 1 }, "product_id"],
    ["restockProduct", { productId: "be\0ans", quantity: 1 }, "product_id"],
    ["restockProduct", { productId: "beans" }, "quantity"],
    ["restockProduct", { productId: "beans", quantity: -1 }, "quantity"],
  ];

  it.each(bad)("%s refuses %j, naming %s", async (method, request, field) => {
    const call = inventory.client[method] as (request: object) => Promise<unknown>;
    const error = await refusal(call(request));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toContain(field);
    const levels = database.store.db.selectFrom("products").select(["stock", "reserved"]).where("id", "=", "beans");
    expect(await levels.executeTakeFirst()).toEqual({ stock: 100, reserved: 0 });
  });
});

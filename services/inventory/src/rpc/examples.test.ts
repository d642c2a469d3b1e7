import { randomUUID } from "node:crypto";
import { InventoryService } from "@shop/contracts/inventory";
import { describeProvider, loadExamples, type StateHandler } from "@weft/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createTestDatabase, type TestDatabase, type TestProduct } from "../testing/database.ts";
import { openInventory, type RunningInventory } from "../testing/running-inventory.ts";

let database: TestDatabase;
let inventory: RunningInventory;

beforeAll(async () => {
  database = await createTestDatabase();
  inventory = await openInventory({ database });
});
afterAll(async () => {
  await inventory?.close();
  await database?.drop();
});

const states: Readonly<Record<string, StateHandler>> = {
  async "no products"() {
    await database.fill([]);
  },

  async "a product"({ product_id = "", name = "", price_minor_units = "", stock }) {
    const product: TestProduct = { id: product_id, name, stock: Number(stock) };
    await database.fill([{ ...product, price_minor_units: BigInt(price_minor_units) }]);
  },

  async "a reservation"({ product_id = "", quantity, status = "" }) {
    const { client, clock } = inventory;
    const orderId = randomUUID();
    await database.fill([{ id: product_id, stock: 100 }]);
    await client.reserveProduct({ orderId, productId: product_id, quantity: Number(quantity) });
    if (status === "COMMITTED") await client.commitReservation({ orderId });
    if (status === "RELEASED") await client.releaseReservation({ orderId });
    if (status === "EXPIRED") {
      clock.now = new Date(clock.now.getTime() + 60_000);
      await inventory.sweep();
    }
    return { order_id: orderId };
  },
};

const file = new URL("../../../../proto/shop/inventory/v1/inventory_service.examples.yaml", import.meta.url);
describeProvider({ describe, it }, loadExamples(InventoryService, file), () => ({ client: inventory.client, states }));

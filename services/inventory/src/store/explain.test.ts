import { randomUUID } from "node:crypto";
import { silentLogger } from "@weft/telemetry";
import { createLargeDatabase, type LargeDatabase } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expireReservations } from "../app/expire-reservations.ts";
import { fulfilOrder } from "../app/fulfil-order.ts";
import { pinReservation } from "../app/pin-reservation.ts";
import { reserveItems } from "../app/reserve-items.ts";
import { restockProduct } from "../app/restock-product.ts";
import { createProductRepository } from "./product-repository.ts";
import { createReservationRepository } from "./reservation-repository.ts";
import { type InventoryDatabase, migrations } from "./schema.ts";

/** As many products as reservations, and every hundredth of these is overdue. */
const stock = `
  INSERT INTO products
  SELECT 'product-' || n, 'n', '', 'USD', 1250, 100, 1 FROM generate_series(1, 100000) AS n;
  INSERT INTO reservations
  SELECT gen_random_uuid(), CASE WHEN n % 100 = 0 THEN 'held' ELSE 'committed' END, NULL,
    jsonb_build_array(jsonb_build_object('productId', 'product-' || n, 'quantity', 1)),
    timestamptz '2026-01-01' + n * interval '1 minute'
  FROM generate_series(1, 100000) AS n`;

let database: LargeDatabase<InventoryDatabase>;
beforeAll(async () => {
  database = await createLargeDatabase("inventory", migrations, stock);
});
afterAll(() => database?.drop());

describe("among 100,000 products and as many reservations", () => {
  it("each statement of the store finds its rows by an index", async () => {
    const products = createProductRepository(database.store);
    const reservations = createReservationRepository(database.store);
    const now = () => new Date("2026-01-02T00:00:00Z");
    const ids = ["product-1", "product-2"];
    const order = { orderId: randomUUID(), items: ids.map((productId) => ({ productId, quantity: 1 })) };
    await products.get("product-1");
    await products.find(ids);
    const first = await products.page(undefined, 50);
    await products.page(first.at(-1)?.id, 50);
    await restockProduct(products)("product-1", 1);
    await reserveItems(reservations, now, 1_000)(order);
    await pinReservation(reservations, now)(order);
    await fulfilOrder(reservations, now)(order.orderId);
    for (const overdue of await reservations.due(now(), 10)) await reservations.postpone(overdue, now());
    const expiry = { reservations, logger: silentLogger, now, pauseMs: () => 0 };
    await expireReservations(expiry)(new AbortController().signal);
    expect(await database.sequentialScans()).toEqual([]);
  });
});

import * as testkit from "@weft/testkit";
import type { Insertable } from "kysely";
import { type InventoryDatabase, migrations, type ProductsTable } from "../store/schema.ts";

/** A product of which a test says only what matters to it; it costs 12.50 USD. */
export type TestProduct = Pick<Insertable<ProductsTable>, "id" | "stock"> & Partial<Insertable<ProductsTable>>;

export interface TestDatabase extends testkit.TestDatabase<InventoryDatabase> {
  /** Leaves nothing but these products, with nothing reserved, no reservation, event or keyed command. */
  fill(products: readonly TestProduct[]): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  // A deadlock is to be seen, not to be tried again.
  const options = { maxAttempts: 1 };
  const database = await testkit.createTestDatabase<InventoryDatabase>("inventory", migrations, options);
  return {
    ...database,
    async fill(products) {
      await database.empty();
      const rows = products.map((product) => ({
        description: "",
        currency_code: "USD",
        price_minor_units: 1250n,
        name: product.id,
        reserved: 0,
        ...product,
      }));
      if (rows.length > 0) await database.store.db.insertInto("products").values(rows).execute();
    },
  };
}

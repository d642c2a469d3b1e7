import type { Store } from "@weft/store";
import { type Selectable, sql, type Transaction } from "kysely";
import type { Products } from "../app/products.ts";
import { type Product, ProductNotFoundError } from "../domain/product.ts";
import type { InventoryDatabase, ProductsTable } from "./schema.ts";

export function createProductRepository(store: Store<InventoryDatabase>): Products {
  return {
    async get(id) {
      const row = await store.db.selectFrom("products").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toProduct(row);
    },

    async find(ids) {
      const rows = await store.db.selectFrom("products").selectAll().where("id", "=", anyOf(ids)).execute();
      return rows.map(toProduct);
    },

    async page(afterId, size) {
      let query = store.db.selectFrom("products").selectAll().orderBy("id").limit(size);
      if (afterId !== undefined) query = query.where("id", ">", afterId);
      return (await query.execute()).map(toProduct);
    },

    change(id, change) {
      return store.transaction(async (tx) => {
        const [before] = await lockProducts(tx, [id]);
        if (!before) throw new ProductNotFoundError([id]);
        const after = change(before);
        await keepStock(tx, [after]);
        return after;
      });
    },
  };
}

/**
 * The products, locked until the transaction ends. The rows are locked in the order of their ids, whatever is asked: two
 * transactions that want the same products wait for one another and never in a circle.
 */
export async function lockProducts(
  tx: Transaction<InventoryDatabase>,
  ids: readonly string[],
): Promise<readonly Product[]> {
  const query = tx.selectFrom("products").selectAll().where("id", "=", anyOf(ids)).orderBy("id").forNoKeyUpdate();
  return (await query.execute()).map(toProduct);
}

/** Writes what products have in stock and in reserve, all in one statement. */
export async function keepStock(tx: Transaction<InventoryDatabase>, products: readonly Product[]): Promise<void> {
  const ids = products.map(({ id }) => id);
  const stocks = products.map(({ stock }) => stock);
  const reserves = products.map(({ reserved }) => reserved);
  await sql`
    UPDATE products SET stock = kept.stock, reserved = kept.reserved
    FROM unnest(${ids}::text[], ${stocks}::integer[], ${reserves}::integer[]) AS kept (id, stock, reserved)
    WHERE products.id = kept.id
  `.execute(tx);
}

/** One parameter however many there are, so that the statement stays the same; none match none. */
function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids}::text[])`;
}

function toProduct(row: Selectable<ProductsTable>): Product {
  const { id, name, description, stock, reserved } = row;
  const price = { currencyCode: row.currency_code, minorUnits: BigInt(row.price_minor_units) };
  return { id, name, description, price, stock, reserved };
}

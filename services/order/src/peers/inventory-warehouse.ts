import { Code, ConnectError } from "@connectrpc/connect";
import { createInventoryClient } from "@shop/contracts/inventory";
import type { Mesh } from "@weft/service";
import type { Warehouse } from "../app/warehouse.ts";
import { KeyReusedError, OutOfStockError, ProductNotFoundError } from "../domain/refusals.ts";
import { peerError } from "./peer-error.ts";

/** The inventory service's catalogue and stock. */
export function createInventoryWarehouse(mesh: Mesh): Warehouse {
  const client = createInventoryClient(mesh);
  return {
    quote: (wishes) =>
      asking(async () => {
        const { items } = await client.checkAvailability({ items: [...wishes] });
        return items.map(({ productId, availableQuantity, unitPrice }) => {
          if (!unitPrice) throw new Error(`the inventory service answered without the price of ${productId}`);
          const { currencyCode, minorUnits } = unitPrice;
          return { productId, left: availableQuantity, unitPrice: { currencyCode, minorUnits } };
        });
      }),
    reserve: (orderId, wishes) =>
      asking(async () => {
        await client.reserveItems({ orderId, items: [...wishes] });
      }),
  };
}

/** The refusals that the inventory's contract names; their messages name the products. */
async function asking<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const code = error instanceof ConnectError ? error.code : undefined;
    const words = error instanceof ConnectError ? error.rawMessage : "";
    if (code === Code.NotFound) throw new ProductNotFoundError(words);
    if (code === Code.FailedPrecondition) throw new OutOfStockError(words);
    if (code === Code.AlreadyExists) throw new KeyReusedError();
    throw peerError("inventory", error);
  }
}

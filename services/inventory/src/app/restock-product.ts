import { type Product, restock } from "../domain/product.ts";
import type { Products } from "./products.ts";

/** Adds a delivery to the stock. Throws ProductNotFoundError, StockLimitError. */
export function restockProduct(products: Products) {
  return (id: string, quantity: number): Promise<Product> =>
    products.change(id, (product) => restock(product, quantity));
}

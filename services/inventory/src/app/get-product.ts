import { type Product, ProductNotFoundError } from "../domain/product.ts";
import type { Products } from "./products.ts";

/** Throws ProductNotFoundError. */
export function getProduct(products: Products) {
  return async (id: string): Promise<Product> => {
    const product = await products.get(id);
    if (!product) throw new ProductNotFoundError([id]);
    return product;
  };
}

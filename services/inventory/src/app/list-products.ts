import type { Product } from "../domain/product.ts";
import type { Products } from "./products.ts";

export interface ProductPage {
  readonly products: readonly Product[];
  /** The id after which the next page starts; undefined on the last one. */
  readonly next: string | undefined;
}

export function listProducts(products: Products) {
  return async (afterId: string | undefined, size: number): Promise<ProductPage> => {
    // One more than asked for tells whether there is a next page.
    const found = await products.page(afterId, size + 1);
    const page = found.slice(0, size);
    return { products: page, next: found.length > size ? page.at(-1)?.id : undefined };
  };
}

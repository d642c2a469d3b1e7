import { available, type Product, ProductNotFoundError } from "../domain/product.ts";
import type { Item } from "../domain/stock.ts";
import type { Products } from "./products.ts";

export interface Availability {
  readonly product: Product;
  /** Whether as many as were asked for can be reserved now. */
  readonly sufficient: boolean;
  /** Units that can be reserved now. */
  readonly left: number;
}

/** What could be reserved of each item, in the order asked; a promise for nobody. Throws ProductNotFoundError naming every unknown product. */
export function checkAvailability(products: Products) {
  return async (items: readonly Item[]): Promise<readonly Availability[]> => {
    const found = await products.find(items.map(({ productId }) => productId));
    const byId = new Map(found.map((product) => [product.id, product]));
    const unknown = new Set<string>();
    const answers: Availability[] = [];
    for (const { productId, quantity } of items) {
      const product = byId.get(productId);
      if (!product) unknown.add(productId);
      else answers.push({ product, left: available(product), sufficient: available(product) >= quantity });
    }
    if (unknown.size > 0) throw new ProductNotFoundError([...unknown]);
    return answers;
  };
}

import type { Product } from "../domain/product.ts";

/** Where the catalogue and its stock are kept. */
export interface Products {
  get(id: string): Promise<Product | undefined>;
  /** Those that exist, in any order. */
  find(ids: readonly string[]): Promise<readonly Product[]>;
  /** By id, after the given one. */
  page(afterId: string | undefined, size: number): Promise<readonly Product[]>;
  /** Locks the product, applies `change` and keeps the result, in one transaction. Throws ProductNotFoundError and what `change` throws. */
  change(id: string, change: (product: Product) => Product): Promise<Product>;
}

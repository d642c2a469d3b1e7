import { available, type Product, ProductNotFoundError } from "./product.ts";

/** Some units of one product. */
export interface Item {
  readonly productId: string;
  readonly quantity: number;
}

/**
 * What a reservation's items can do to the stock:
 * `hold` sets them aside, `free` gives them back, `take` sells what was held, `sell` what was not, `putBack` undoes a sale.
 */
export type StockMove = "hold" | "free" | "take" | "sell" | "putBack";

const signs: Readonly<Record<StockMove, { readonly stock: -1 | 0 | 1; readonly reserved: -1 | 0 | 1 }>> = {
  hold: { stock: 0, reserved: 1 },
  free: { stock: 0, reserved: -1 },
  take: { stock: -1, reserved: -1 },
  sell: { stock: -1, reserved: 0 },
  putBack: { stock: 1, reserved: 0 },
};

/**
 * The products after the move: of all items, or of none.
 * Throws ProductNotFoundError naming every unknown product, and StockShortError naming every one with too little left.
 */
export function move(products: readonly Product[], items: readonly Item[], kind: StockMove): readonly Product[] {
  const byId = new Map(products.map((product) => [product.id, product]));
  const unknown = items.filter(({ productId }) => !byId.has(productId));
  if (unknown.length > 0) throw new ProductNotFoundError(unknown.map(({ productId }) => productId));

  const sign = signs[kind];
  const shortages: Shortage[] = [];
  for (const { productId, quantity } of items) {
    const before = byId.get(productId) as Product;
    const after = {
      ...before,
      stock: before.stock + sign.stock * quantity,
      reserved: before.reserved + sign.reserved * quantity,
    };
    if (available(after) < 0) shortages.push({ productId, wanted: quantity, left: available(before) });
    byId.set(productId, after);
  }
  if (shortages.length > 0) throw new StockShortError(shortages);
  return [...byId.values()];
}

/** Whether both name the same quantities of the same products, in whatever order. */
export function sameItems(a: readonly Item[], b: readonly Item[]): boolean {
  const text = (items: readonly Item[]): string =>
    JSON.stringify(items.map(({ productId, quantity }) => [productId, quantity]).toSorted());
  return text(a) === text(b);
}

export interface Shortage {
  readonly productId: string;
  readonly wanted: number;
  readonly left: number;
}

export class StockShortError extends Error {
  override readonly name = "StockShortError";
  readonly shortages: readonly Shortage[];
  constructor(shortages: readonly Shortage[]) {
    const named = shortages.map(({ productId, wanted, left }) => `${productId} (${wanted} wanted, ${left} left)`);
    super(`too little stock of ${named.join(", ")}`);
    this.shortages = shortages;
  }
}

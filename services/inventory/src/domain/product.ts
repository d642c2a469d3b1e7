/** An amount in the smallest unit of its currency (ISO 4217). */
export interface Money {
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** What the shop sells. `0 ≤ reserved ≤ stock` always holds. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly price: Money;
  /** Units in the house, reserved ones included. */
  readonly stock: number;
  /** Units held by open reservations. */
  readonly reserved: number;
}

/** Units that can still be reserved. */
export function available({ stock, reserved }: Product): number {
  return stock - reserved;
}

/** Most units that a delivery may bring a product to: cancelled orders can always be put back on top of it. */
export const stockLimit = 1_000_000_000;

/** A delivery came in. Throws StockLimitError. */
export function restock(product: Product, quantity: number): Product {
  const stock = product.stock + quantity;
  if (stock > stockLimit) throw new StockLimitError(product, quantity);
  return { ...product, stock };
}

export class ProductNotFoundError extends Error {
  override readonly name = "ProductNotFoundError";
  readonly productIds: readonly string[];
  constructor(productIds: readonly string[]) {
    super(`${productIds.length === 1 ? "no such product" : "no such products"}: ${productIds.join(", ")}`);
    this.productIds = productIds;
  }
}

export class StockLimitError extends Error {
  override readonly name = "StockLimitError";
  constructor({ id, stock }: Product, quantity: number) {
    super(`${id} has ${stock} units; ${quantity} more would exceed the ${stockLimit} that a product may have`);
  }
}

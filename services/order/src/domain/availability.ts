import type { Money } from "./money.ts";
import type { OrderItem } from "./order.ts";
import { OutOfStockError, ProductNotFoundError } from "./refusals.ts";

/** So many of a product. */
export interface Wish {
  readonly productId: string;
  readonly quantity: number;
}

/** What the catalogue says of a product now. */
export interface Quote {
  readonly productId: string;
  readonly unitPrice: Money;
  /** Units that can still be reserved. */
  readonly left: number;
}

/** The wishes at the catalogue's prices, in the customer's order. Throws ProductNotFoundError. */
export function priced(wishes: readonly Wish[], quotes: readonly Quote[]): readonly OrderItem[] {
  const byProduct = new Map(quotes.map((quote) => [quote.productId, quote]));
  return wishes.map(({ productId, quantity }) => {
    const quote = byProduct.get(productId);
    if (!quote) throw new ProductNotFoundError(`product ${productId} does not exist`);
    return { productId, quantity, unitPrice: quote.unitPrice };
  });
}

/** What is short, and by how much; undefined when there is enough of everything. */
export function shortage(wishes: readonly Wish[], quotes: readonly Quote[]): OutOfStockError | undefined {
  const byProduct = new Map(quotes.map((quote) => [quote.productId, quote]));
  const short = wishes.flatMap(({ productId, quantity }) => {
    const left = byProduct.get(productId)?.left ?? 0;
    return left < quantity ? [`${productId} (${quantity} ordered, ${left} left)`] : [];
  });
  return short.length > 0 ? new OutOfStockError(`there is not enough stock of ${short.join(", ")}`) : undefined;
}

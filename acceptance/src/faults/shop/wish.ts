import type { OrderJson } from "../../shop.ts";

/** One order as a customer wanted it, and what became of it. */
export interface Wish {
  readonly key: string;
  readonly userId: string;
  readonly email: string;
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  readonly token: string;
  /** Milliseconds after it was placed when the customer thinks better of it; undefined when that never happens. */
  readonly cancelAfterMs: number | undefined;
  orderId: string | undefined;
  final: OrderJson | undefined;
}

/** A wish whose order has ended. */
export interface EndedOrder {
  readonly id: string;
  readonly email: string;
  readonly items: Wish["items"];
  readonly final: OrderJson;
}

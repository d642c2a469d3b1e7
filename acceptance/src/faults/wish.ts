import type { OrderJson } from "../shop.ts";

/** One order as a customer wanted it, and what became of it. */
export interface Wish {
  readonly key: string;
  readonly userId: string;
  readonly email: string;
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  readonly token: string;
  orderId: string | undefined;
  final: OrderJson | undefined;
}

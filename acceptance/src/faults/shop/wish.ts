import type { OrderJson } from "../../shop.ts";

export const [confirmed, shipped, delivered, cancelled] = [
  "ORDER_STATUS_CONFIRMED",
  "ORDER_STATUS_SHIPPED",
  "ORDER_STATUS_DELIVERED",
  "ORDER_STATUS_CANCELLED",
];

/** Whether the customer has paid for an order in this status, and has its goods or will have them. */
export function isSold(status: string): boolean {
  return [confirmed, shipped, delivered].includes(status);
}

/** One order as a customer wanted it, and what became of it. */
export interface Wish {
  readonly key: string;
  readonly userId: string;
  readonly email: string;
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  readonly token: string;
  /** The statuses in which its order may end, "nowhere" where it may be refused. */
  readonly ends: readonly string[];
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

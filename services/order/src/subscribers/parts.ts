import type { Orders } from "../app/orders.ts";

/** What each subscriber is made of. */
export interface SubscriberParts {
  readonly orders: Orders;
  readonly now: () => Date;
}

import type { Order } from "./order.ts";

/** One step of an order's way. */
export type OrderChange = Pick<Order, "version" | "status" | "reason" | "updatedAt">;

/** The order as it was right after `change`. */
export function orderAfter(order: Order, { version, status, reason, updatedAt }: OrderChange): Order {
  return { ...order, version, status, reason, updatedAt };
}

import { cancel, type Order } from "../domain/order.ts";
import type { Orders } from "./orders.ts";

/** As the customer wishes; a repeat changes nothing. Throws OrderNotFoundError and TransitionRefusedError. */
export function cancelOrder(orders: Orders, now: () => Date) {
  return (id: string, reason: string): Promise<Order> => orders.change(id, (order) => cancel(order, reason, now()));
}

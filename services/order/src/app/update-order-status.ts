import { moveByHand, type Order } from "../domain/order.ts";
import type { OrderStatus } from "../domain/order-status.ts";
import type { Orders } from "./orders.ts";

/** As an operator wishes; a repeat changes nothing. Throws OrderNotFoundError, PaymentConfirmsError and TransitionRefusedError. */
export function updateOrderStatus(orders: Orders, now: () => Date) {
  return (id: string, status: OrderStatus, reason: string): Promise<Order> =>
    orders.change(id, (order) => moveByHand(order, status, reason, now()));
}

import { type Order, OrderNotFoundError } from "../domain/order.ts";
import { UserNotFoundError } from "../domain/refusals.ts";
import type { Customer, Customers } from "./customers.ts";
import type { Orders } from "./orders.ts";

/** Throws OrderNotFoundError. */
export function getOrder(orders: Orders) {
  return async (id: string): Promise<Order> => {
    const order = await orders.get(id);
    if (!order) throw new OrderNotFoundError(id);
    return order;
  };
}

export interface OrderWithUser {
  readonly order: Order;
  /** Also when the account was deleted since. */
  readonly user: Customer;
}

/** Throws OrderNotFoundError, UserNotFoundError and PeerAwayError. */
export function getOrderWithUser(orders: Orders, customers: Customers) {
  const get = getOrder(orders);
  return async (id: string): Promise<OrderWithUser> => {
    const order = await get(id);
    const user = await customers.find(order.userId);
    if (!user) throw new UserNotFoundError(order.userId);
    return { order, user };
  };
}

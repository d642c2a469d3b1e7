import {
  abandonRefunded,
  abandonUnfilled,
  abandonUnpaid,
  confirmPaid,
  type Order,
  OrderNotFoundError,
} from "../domain/order.ts";
import type { Orders } from "./orders.ts";

/** The payment arrived. Throws OrderNotFoundError. */
export function confirmOrder(orders: Orders, now: () => Date) {
  return (id: string): Promise<Order> => orders.change(id, (order) => confirmPaid(order, now()));
}

/** The payment was declined, or is too late. Throws OrderNotFoundError. */
export function giveUpPayment(orders: Orders, now: () => Date) {
  return (id: string, reason: string): Promise<Order> =>
    orders.change(id, (order) => abandonUnpaid(order, reason, now()));
}

/** The payment was given back. Throws OrderNotFoundError. */
export function takeBackRefunded(orders: Orders, now: () => Date) {
  return (id: string): Promise<Order> => orders.change(id, (order) => abandonRefunded(order, now()));
}

/** The stock is gone. Stock is also held for ids that never became an order: undefined for those. */
export function giveUpStock(orders: Orders, now: () => Date) {
  return async (id: string, reason: string): Promise<Order | undefined> => {
    try {
      return await orders.change(id, (order) => abandonUnfilled(order, reason, now()));
    } catch (error) {
      if (error instanceof OrderNotFoundError) return undefined;
      throw error;
    }
  };
}

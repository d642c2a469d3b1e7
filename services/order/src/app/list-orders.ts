import type { Order } from "../domain/order.ts";
import type { OrderCursor, Orders } from "./orders.ts";

export interface OrderPage {
  readonly orders: readonly Order[];
  /** Where the next page starts; undefined on the last one. */
  readonly next: OrderCursor | undefined;
}

/** A user's orders, newest first. */
export function listOrdersByUser(orders: Orders) {
  return async (userId: string, before: OrderCursor | undefined, size: number): Promise<OrderPage> => {
    // One more than asked for tells whether there is a next page.
    const found = await orders.pageOfUser(userId, before, size + 1);
    const page = found.slice(0, size);
    const last = page.at(-1);
    return { orders: page, next: found.length > size && last ? { createdAt: last.createdAt, id: last.id } : undefined };
  };
}

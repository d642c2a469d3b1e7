import type { Order } from "../domain/order.ts";
import { type OrderChange, orderAfter } from "../domain/order-change.ts";
import { isFinal } from "../domain/order-status.ts";
import { getOrder } from "./find-order.ts";
import type { Orders } from "./orders.ts";

/** What happens to orders, as it is committed. */
export interface OrderFeed {
  /** Every change of an order after that version, in order and none left out; ends when `signal` fires. */
  after(orderId: string, version: number, signal: AbortSignal): AsyncIterable<OrderChange>;
}

/** The order as it is, then as each change leaves it, until it is in a final state or `signal` fires. Throws OrderNotFoundError. */
export function watchOrder(orders: Orders, feed: OrderFeed) {
  const get = getOrder(orders);
  return async function* (id: string, signal: AbortSignal): AsyncGenerator<Order, void, undefined> {
    const order = await get(id);
    yield order;
    if (isFinal(order.status)) return;
    for await (const change of feed.after(order.id, order.version, signal)) {
      yield orderAfter(order, change);
      if (isFinal(change.status)) return;
    }
  };
}

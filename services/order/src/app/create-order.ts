import { addSpanEvent, setSpanAttributes, traced } from "@weft/telemetry";
import { priced, type Quote, shortage, type Wish } from "../domain/availability.ts";
import { isWishedBy, type Order, placeOrder } from "../domain/order.ts";
import { orderIdOf } from "../domain/order-id.ts";
import { KeyReusedError, OutOfStockError, UserDeletedError, UserNotFoundError } from "../domain/refusals.ts";
import type { Customers } from "./customers.ts";
import type { Orders } from "./orders.ts";
import type { Warehouse } from "./warehouse.ts";

export interface CreateOrder {
  readonly userId: string;
  readonly items: readonly Wish[];
  readonly paymentToken: string;
  /** The caller's idempotency key, if it gave one. */
  readonly key: string | undefined;
}

export interface CreateOrderParts {
  readonly customers: Customers;
  readonly warehouse: Warehouse;
  readonly orders: Orders;
  readonly newKey: () => string;
  readonly now: () => Date;
  readonly paymentTimeoutMs: number;
}

/**
 * Places an order. The order's id is known before anything happens, so that a call that died anywhere on the way can be
 * repeated under its key: the stock is held once, the order exists once, and a repeat of what was placed before asks
 * nobody and answers the order as it is now. Throws UserNotFoundError, UserDeletedError,
 * ProductNotFoundError, OutOfStockError, KeyReusedError, PeerAwayError, and what `placeOrder` throws.
 */
export function createOrder({ customers, warehouse, orders, newKey, now, paymentTimeoutMs }: CreateOrderParts) {
  const validateUser = traced("validate_user", async (userId: string): Promise<void> => {
    setSpanAttributes({ "shop.user.id": userId });
    const customer = await customers.find(userId);
    if (!customer) throw new UserNotFoundError(userId);
    if (customer.status === "deleted") throw new UserDeletedError(userId);
  });

  const priceItems = traced("price_items", async (wishes: readonly Wish[]) => {
    setSpanAttributes({ "shop.order.items": wishes.length });
    const quotes = await warehouse.quote(wishes);
    return { quotes, items: priced(wishes, quotes) };
  });

  // What is short isn't refused before this: the stock may be held already, for this very order, by a call that died.
  const reserveItems = traced(
    "reserve_items",
    async (id: string, wishes: readonly Wish[], quotes: readonly Quote[]) => {
      setSpanAttributes({ "shop.order.id": id });
      try {
        await warehouse.reserve(id, wishes);
        addSpanEvent("stock reserved", {
          "shop.order.units": wishes.reduce((units, { quantity }) => units + quantity, 0),
        });
      } catch (error) {
        throw error instanceof OutOfStockError ? (shortage(wishes, quotes) ?? error) : error;
      }
    },
  );

  const keepOrder = traced("keep_order", (order: Order, paymentToken: string) => {
    setSpanAttributes({
      "shop.order.id": order.id,
      "shop.order.total": Number(order.total.minorUnits),
      "shop.order.currency": order.total.currencyCode,
    });
    const payBy = new Date(order.createdAt.getTime() + paymentTimeoutMs);
    return orders.add({ order, paymentToken, payBy });
  });

  /** The order of a call whose stored answer was forgotten meanwhile: the world around it may have moved on. */
  const placedBefore = async (id: string, userId: string, wishes: readonly Wish[]): Promise<Order | undefined> => {
    const placed = await orders.get(id);
    if (placed && !isWishedBy(placed, userId, wishes)) throw new KeyReusedError();
    return placed;
  };

  return async ({ userId, items: wishes, paymentToken, key }: CreateOrder): Promise<Order> => {
    const id = orderIdOf(userId, key ?? newKey());
    const placed = key === undefined ? undefined : await placedBefore(id, userId, wishes);
    if (placed) return placed;
    // Neither question changes anything: both are asked at once. Who may not order hears of that first.
    const [user, pricing] = await Promise.allSettled([validateUser(userId), priceItems(wishes)]);
    if (user.status === "rejected") throw user.reason;
    if (pricing.status === "rejected") throw pricing.reason;
    const { quotes, items } = pricing.value;
    // An order that can't be is refused here, before any stock is held for it.
    const order = placeOrder(id, userId, items, now());
    await reserveItems(id, wishes, quotes);
    return keepOrder(order, paymentToken);
  };
}

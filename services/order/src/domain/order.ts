import { type Money, sum, times } from "./money.ts";
import { canBecome, type OrderStatus, requireTransition } from "./order-status.ts";

/** What a customer ordered, at the prices of that moment, and how far it is. Its items and total never change. */
export interface Order {
  readonly id: string;
  readonly userId: string;
  readonly items: readonly OrderItem[];
  readonly total: Money;
  readonly status: OrderStatus;
  /** Why it is in this state; empty when that needs no words. */
  readonly reason: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** 1 at first; grows by one with each change. */
  readonly version: number;
}

export interface OrderItem {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice: Money;
}

/** Throws MixedCurrenciesError and AmountTooLargeError. */
export function placeOrder(id: string, userId: string, items: readonly OrderItem[], now: Date): Order {
  const total = sum(items.map(({ unitPrice, quantity }) => times(unitPrice, quantity)));
  return { id, userId, items, total, status: "PENDING", reason: "", createdAt: now, updatedAt: now, version: 1 };
}

/** Whether both are what one customer asked for, whatever became of the one that was placed before. */
export function isRepeat(order: Order, placed: Order): boolean {
  return isWishedBy(placed, order.userId, order.items);
}

/** Whether the order is that user's, of those products, as many of each. */
export function isWishedBy(order: Order, userId: string, wishes: readonly Wished[]): boolean {
  const text = (items: readonly Wished[]): string =>
    JSON.stringify(items.map(({ productId, quantity }) => [productId, quantity]));
  return order.userId === userId && text(order.items) === text(wishes);
}

type Wished = Pick<OrderItem, "productId" | "quantity">;

/**
 * The payment arrived. The same object when the order no longer waits for it: one that was cancelled meanwhile stays so,
 * and its payment is refunded by whoever hears of the cancellation.
 */
export function confirmPaid(order: Order, now: Date): Order {
  return order.status === "PENDING" ? moved(order, "CONFIRMED", "", now) : order;
}

/** The payment won't arrive: declined, or too late. The same object when the order no longer waits for it. */
export function abandonUnpaid(order: Order, reason: string, now: Date): Order {
  return order.status === "PENDING" ? moved(order, "CANCELLED", reason, now) : order;
}

/**
 * The payment was given back: what has not left the house stays in it. The same object when the order has ended or is on
 * its way: goods that come back are another story than money that does.
 */
export function abandonRefunded(order: Order, now: Date): Order {
  return canBecome(order.status, "CANCELLED") ? moved(order, "CANCELLED", "refunded", now) : order;
}

/** The stock isn't there. The same object when the order has ended or left the house. */
export function abandonUnfilled(order: Order, reason: string, now: Date): Order {
  return canBecome(order.status, "CANCELLED") ? moved(order, "CANCELLED", reason, now) : order;
}

/** As the customer wishes; the same object when it was cancelled before. Throws TransitionRefusedError. */
export function cancel(order: Order, reason: string, now: Date): Order {
  return order.status === "CANCELLED" ? order : moved(order, "CANCELLED", reason, now);
}

/** As an operator wishes; the same object when it is there already. Throws PaymentConfirmsError and TransitionRefusedError. */
export function moveByHand(order: Order, status: OrderStatus, reason: string, now: Date): Order {
  if (status === "CONFIRMED") throw new PaymentConfirmsError(order);
  return order.status === status ? order : moved(order, status, reason, now);
}

function moved(order: Order, status: OrderStatus, reason: string, now: Date): Order {
  requireTransition(order.id, order.status, status);
  return { ...order, status, reason, updatedAt: now, version: order.version + 1 };
}

export class PaymentConfirmsError extends Error {
  override readonly name = "PaymentConfirmsError";
  constructor({ id, status }: Order) {
    super(`order ${id} is ${status} and can't become CONFIRMED by hand: a payment alone confirms an order`);
  }
}

export class OrderNotFoundError extends Error {
  override readonly name = "OrderNotFoundError";
  constructor(id: string) {
    super(`order ${id} does not exist`);
  }
}

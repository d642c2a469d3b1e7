import { randomUUID } from "node:crypto";
import type { PlacedOrder } from "../app/orders.ts";
import { type Order, placeOrder } from "../domain/order.ts";

export const placedAt = new Date("2026-05-01T10:00:00Z");

/** Two mugs and a tea, as they were just ordered. */
export function newOrder(userId: string = randomUUID(), now: Date = placedAt): Order {
  const items = [
    { productId: "mug", quantity: 2, unitPrice: { currencyCode: "USD", minorUnits: 1250n } },
    { productId: "tea", quantity: 1, unitPrice: { currencyCode: "USD", minorUnits: 400n } },
  ];
  return placeOrder(randomUUID(), userId, items, now);
}

/** The same, to be paid within a minute. */
export function newPlacement(order: Order = newOrder()): PlacedOrder {
  return { order, paymentToken: "tok_visa", payBy: new Date(order.createdAt.getTime() + 60_000) };
}

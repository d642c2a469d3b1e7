import { StockReleased, StockReleaseReason } from "@shop/contracts/inventory";
import { type Subscription, subscribe } from "@weft/events";
import { giveUpStock } from "../app/settle-order.ts";
import type { SubscriberParts } from "./parts.ts";

/** Why an order can't be filled any more. Stock that went back since the order was cancelled is no news here. */
const losses: Partial<Record<StockReleaseReason, string>> = {
  [StockReleaseReason.EXPIRED]: "the reservation expired, and the stock is gone",
  [StockReleaseReason.REQUESTED]: "the reservation was released",
};

export function onStockReleased({ orders, now }: SubscriberParts): Subscription {
  const giveUp = giveUpStock(orders, now);
  return subscribe(StockReleased, async ({ orderId, reason, items }) => {
    const loss = losses[reason];
    if (loss === undefined) return;
    const products = items.map(({ productId }) => productId).join(", ");
    await giveUp(orderId, products ? `${loss}: ${products}` : loss);
  });
}

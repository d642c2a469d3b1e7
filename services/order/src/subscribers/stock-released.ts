import { StockReleased, StockReleaseReason } from "@shop/contracts/inventory";
import { type Subscription, subscribe } from "@weft/events";
import { giveUpStock } from "../app/settle-order.ts";
import type { SubscriberParts } from "./parts.ts";

/** Only stock that expired and was gone when the order came is news; all other releases follow from what happened here. */
export function onStockReleased({ orders, now }: SubscriberParts): Subscription {
  const giveUp = giveUpStock(orders, now);
  return subscribe(StockReleased, async ({ orderId, reason, items }) => {
    if (reason !== StockReleaseReason.EXPIRED) return;
    const products = items.map(({ productId }) => productId).join(", ");
    await giveUp(orderId, `the reservation expired, and the stock is gone: ${products}`);
  });
}

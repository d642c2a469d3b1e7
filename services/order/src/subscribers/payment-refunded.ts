import { PaymentRefunded } from "@shop/contracts/payment";
import { type Subscription, subscribe } from "@weft/events";
import { takeBackRefunded } from "../app/settle-order.ts";
import type { SubscriberParts } from "./parts.ts";

/** Also the end of an order that was cancelled and therefore refunded: that one stays as it is. */
export function onPaymentRefunded({ orders, now }: SubscriberParts): Subscription {
  const takeBack = takeBackRefunded(orders, now);
  return subscribe(PaymentRefunded, async ({ orderId }) => {
    await takeBack(orderId);
  });
}

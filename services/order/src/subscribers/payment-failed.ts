import { PaymentFailed } from "@shop/contracts/payment";
import { type Subscription, subscribe } from "@weft/events";
import { giveUpPayment } from "../app/settle-order.ts";
import type { SubscriberParts } from "./parts.ts";

export function onPaymentFailed({ orders, now }: SubscriberParts): Subscription {
  const giveUp = giveUpPayment(orders, now);
  return subscribe(PaymentFailed, async ({ orderId, reason }) => {
    await giveUp(orderId, reason ? `the payment failed: ${reason}` : "the payment failed");
  });
}

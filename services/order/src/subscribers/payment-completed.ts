import { PaymentCompleted } from "@shop/contracts/payment";
import { type Subscription, subscribe } from "@weft/events";
import { confirmOrder } from "../app/settle-order.ts";
import type { SubscriberParts } from "./parts.ts";

export function onPaymentCompleted({ orders, now }: SubscriberParts): Subscription {
  const confirm = confirmOrder(orders, now);
  return subscribe(PaymentCompleted, async ({ orderId }) => {
    await confirm(orderId);
  });
}

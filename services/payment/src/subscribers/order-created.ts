import { OrderCreated } from "@shop/contracts/order";
import { type Subscription, subscribe, Unprocessable } from "@weft/events";
import type { openOrderPayment } from "../app/open-payment.ts";

export function onOrderCreated(open: ReturnType<typeof openOrderPayment>): Subscription {
  return subscribe(OrderCreated, async ({ orderId, userId, total, paymentToken }) => {
    if (!total) throw new Unprocessable(`OrderCreated of ${orderId} has no total`);
    if (paymentToken.includes("\0"))
      throw new Unprocessable(`OrderCreated of ${orderId} has a token that can't be kept`);
    const amount = { currencyCode: total.currencyCode, minorUnits: total.minorUnits };
    await open({ orderId, userId, amount, token: paymentToken });
  });
}

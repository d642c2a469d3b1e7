import { PaymentCompleted } from "@shop/contracts/payment";
import { type Subscription, subscribe, Unprocessable } from "@weft/events";
import type { Notify } from "../app/notify.ts";

export function onPaymentCompleted(owe: Notify): Subscription {
  return subscribe(PaymentCompleted, async ({ orderId, userId, amount, providerReference }, { id, occurredAt }) => {
    if (!amount) throw new Unprocessable(`PaymentCompleted of order ${orderId} has no amount`);
    await owe(
      { id, userId, occurredAt },
      {
        kind: "payment_receipt",
        orderId,
        amount: { currencyCode: amount.currencyCode, minorUnits: amount.minorUnits },
        reference: providerReference,
      },
    );
  });
}

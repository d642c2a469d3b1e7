import { openPayment, type PayableOrder } from "../domain/payment.ts";
import type { Payments } from "./payments.ts";

/** An order was placed: it gets its payment, unless it has one or is known to be cancelled. */
export function openOrderPayment(payments: Payments, now: () => Date, wakeCharges: () => void) {
  return async (order: PayableOrder): Promise<void> => {
    if (await payments.add(openPayment(order, now()))) wakeCharges();
  };
}

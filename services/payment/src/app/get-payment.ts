import { type Payment, PaymentNotFoundError } from "../domain/payment.ts";
import type { Payments } from "./payments.ts";

/** The order's payment. Throws PaymentNotFoundError. */
export function getPayment(payments: Payments) {
  return async (orderId: string): Promise<Payment> => {
    const payment = await payments.get(orderId);
    if (!payment) throw new PaymentNotFoundError(orderId);
    return payment;
  };
}

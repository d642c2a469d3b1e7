import type { Payment } from "../domain/payment.ts";
import type { attemptCharge, ChargeParts } from "./attempt-charge.ts";
import { getPayment } from "./get-payment.ts";

/**
 * Charges a pending payment now, under the same claim as the worker: never twice. One that somebody is at work on, or that
 * is settled, is answered as it is. Throws PaymentNotFoundError.
 */
export function processPayment(
  { payments, now, leaseMs }: Pick<ChargeParts, "payments" | "now" | "leaseMs">,
  charge: ReturnType<typeof attemptCharge>,
) {
  const get = getPayment(payments);
  return async (orderId: string): Promise<Payment> => {
    const claim = await payments.claimOne("charge", orderId, leaseMs, now());
    return claim ? charge(claim) : get(orderId);
  };
}

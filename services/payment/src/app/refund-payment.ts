import { type Payment, PaymentNotFoundError } from "../domain/payment.ts";
import { requestRefund } from "../domain/transitions.ts";
import type { attemptRefund, RefundParts } from "./attempt-refund.ts";

/**
 * Owes the whole charge back, and tries to give it back now; what doesn't succeed the worker goes on with. A repeat
 * changes nothing. Throws PaymentNotFoundError and NothingChargedError.
 */
export function refundPayment(
  { payments, now, leaseMs }: Pick<RefundParts, "payments" | "now" | "leaseMs">,
  refund: ReturnType<typeof attemptRefund>,
) {
  return async (orderId: string, reason: string): Promise<Payment> => {
    const owed = await payments.change(orderId, (payment) => requestRefund(payment, reason, now()));
    if (!owed) throw new PaymentNotFoundError(orderId);
    if (owed.status !== "refunding") return owed;
    const claim = await payments.claimOne("refund", orderId, leaseMs, now());
    return claim ? refund(claim) : ((await payments.get(orderId)) ?? owed);
  };
}

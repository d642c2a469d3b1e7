import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { PaymentCompleted, PaymentFailed, PaymentRefunded } from "@shop/contracts/payment";
import { publish } from "@weft/events";
import type { Payment } from "../domain/payment.ts";

/** Publishes what a change of state tells the others. Only inside the transaction that makes the change. */
export async function publishChange(before: Payment, after: Payment): Promise<void> {
  if (before.status === after.status) return;
  const { orderId, userId } = after;
  const at = timestampFromDate(after.updatedAt);
  switch (after.status) {
    case "completed": {
      const { amount, reference: providerReference } = after;
      await publish(PaymentCompleted, { orderId, userId, amount, providerReference, completedAt: at });
      return;
    }
    case "failed": {
      const { amount, reason } = after;
      await publish(PaymentFailed, { orderId, userId, amount, reason, failedAt: at });
      return;
    }
    case "refunded": {
      const { amount, reference: providerReference } = after;
      await publish(PaymentRefunded, { orderId, userId, amount, providerReference, refundedAt: at });
      return;
    }
    case "pending":
    case "charging":
    case "refunding":
    case "cancelled":
      return;
  }
}

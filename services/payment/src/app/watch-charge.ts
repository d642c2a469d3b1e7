import { continueFrom } from "@weft/telemetry";
import type { Payment } from "../domain/payment.ts";
import type { Claim } from "./payments.ts";
import { type ResolveParts, resolveCharge } from "./resolve-charge.ts";

/** One look for a charge that was begun, not found, and believed not to be when its order was cancelled. */
export function watchCharge(parts: ResolveParts) {
  return (claim: Claim): Promise<Payment> => {
    const attributes = { "order.id": claim.payment.orderId, "payment.attempt": claim.attempt };
    return continueFrom(claim.origin, "look for a late charge", { attributes }, () => resolveCharge(parts, claim));
  };
}

import { continueFrom, type Logger } from "@weft/telemetry";
import type { Payment } from "../domain/payment.ts";
import { settleRefund } from "../domain/transitions.ts";
import type { PaymentProvider } from "./payment-provider.ts";
import type { Claim, Payments } from "./payments.ts";

export interface RefundParts {
  readonly payments: Payments;
  readonly provider: PaymentProvider;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Longest time that the provider gets for an answer. */
  readonly leaseMs: number;
  /** Milliseconds until the attempt after the n-th. */
  readonly pauseMs: (attempt: number) => number;
}

/** One attempt at a claimed refund. It is tried until the provider says that it is done: the money is owed. */
export function attemptRefund(parts: RefundParts) {
  return (claim: Claim): Promise<Payment> => {
    const attributes = { "order.id": claim.payment.orderId, "payment.attempt": claim.attempt };
    return continueFrom(claim.origin, "refund payment", { attributes }, () => attempt(parts, claim));
  };
}

async function attempt(parts: RefundParts, claim: Claim): Promise<Payment> {
  const { payments, provider, logger, now, leaseMs, pauseMs } = parts;
  const { payment } = claim;
  if (payment.status !== "refunding") return payments.settle(claim, (unchanged) => unchanged, now());
  const { orderId, reference, amount } = payment;
  const outcome = await provider.refund({ orderId, reference, amount }, AbortSignal.timeout(leaseMs));
  if (outcome.kind === "refunded") {
    logger.info({ orderId, attempt: claim.attempt }, "refunded");
    return payments.settle(claim, (refunding) => settleRefund(refunding, now()), now());
  }
  logger.warn({ orderId, attempt: claim.attempt, problem: outcome.problem }, "not refunded yet");
  const dueAt = new Date(now().getTime() + pauseMs(claim.attempt));
  return payments.settle(claim, (refunding) => refunding, dueAt);
}

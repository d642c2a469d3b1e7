import type { Payment } from "../domain/payment.ts";
import { settleLookup } from "../domain/transitions.ts";
import type { RefundParts } from "./attempt-refund.ts";
import type { Claim } from "./payments.ts";

export interface ResolveParts extends RefundParts {
  /** How long after it was begun a charge is expected to take effect at the provider, though nobody here waits for it. */
  readonly inFlightMs: number;
  /** How long after it was begun it is looked for all the same, in milliseconds. */
  readonly watchMs: number;
  /** Milliseconds until the look for it after the n-th. */
  readonly watchPauseMs: (looks: number) => number;
  /** Called when the charge turned out to be owed back. */
  readonly wakeRefunds: () => void;
}

/**
 * What became of a charge whose order was cancelled meanwhile. The provider is asked what it has, and never to charge: what
 * it has goes back. That it has nothing is believed once no request should be on its way any more; until then, and while it
 * gives no answer, it is asked again. What it believed is watched: a request that was on its way for longer, at a proxy or in
 * a queue of the provider's, goes back when it turns up.
 */
export async function resolveCharge(parts: ResolveParts, claim: Claim): Promise<Payment> {
  const { payments, provider, logger, now, leaseMs, wakeRefunds, inFlightMs, watchMs } = parts;
  const { orderId, status } = claim.payment;
  const pauseMs = status === "cancelled" ? parts.watchPauseMs : parts.pauseMs;
  const lookedAt = now();
  const found = await provider.find(orderId, AbortSignal.timeout(leaseMs));
  const dueAt = new Date(now().getTime() + (found.kind === "charged" ? 0 : pauseMs(claim.attempt)));
  const settled = await payments.settle(
    claim,
    (payment) => settleLookup(payment, found, { lookedAt, inFlightMs, watchMs, now: now() }),
    dueAt,
  );
  logger.info(
    { orderId, found, status: settled.status, attempt: claim.attempt },
    "looked up the charge of a cancelled order",
  );
  if (settled.status === "refunding") wakeRefunds();
  return settled;
}

import { continueFrom } from "@weft/telemetry";
import type { ChargingPayment, Payment } from "../domain/payment.ts";
import { beginCharge, type ChargeOutcome, cancelForOrder, settleCharge } from "../domain/transitions.ts";
import type { OrderStanding, Orders } from "./orders.ts";
import type { Claim } from "./payments.ts";
import { type ResolveParts, resolveCharge } from "./resolve-charge.ts";

export interface ChargeParts extends ResolveParts {
  readonly orders: Orders;
  /** Longest time that one step of an attempt takes: asking the order service, or the provider. */
  readonly leaseMs: number;
}

/**
 * One attempt at a claimed charge. No transaction is open while others are asked: what was begun is committed before the
 * provider hears of it, and what it answered after. A crash between the two repeats the charge under the same key, unless
 * the order was cancelled meanwhile: then nothing is charged any more, and what was is looked up.
 */
export function attemptCharge(parts: ChargeParts) {
  return (claim: Claim): Promise<Payment> => {
    const attributes = { "order.id": claim.payment.orderId, "payment.attempt": claim.attempt };
    return continueFrom(claim.origin, "charge payment", { attributes }, () => attempt(parts, claim));
  };
}

async function attempt(parts: ChargeParts, claim: Claim): Promise<Payment> {
  const { payments, orders, now, leaseMs } = parts;
  const { orderId } = claim.payment;
  if (isToBeResolved(claim.payment)) return resolveCharge(parts, claim);
  let standing: OrderStanding;
  try {
    standing = await orders.standing(orderId);
  } catch (error) {
    return postpone(parts, claim, error instanceof Error ? error.message : "the order service can't be asked");
  }
  if (standing === "other") return postpone(parts, claim, "the order went on without its payment");

  const begin = (payment: Payment): Payment =>
    beginCharge(standing === "cancelled" ? cancelForOrder(payment, now()) : payment, now());
  const begun = await payments.proceed(claim, begin, leaseMs, now());
  if (begun === undefined) return claim.payment;
  if (begun.status !== "charging") return payments.settle(claim, (payment) => payment, now());
  if (isToBeResolved(begun)) return resolveCharge(parts, claim);
  return settle(parts, claim, await ask(parts, begun));
}

function isToBeResolved(payment: Payment): boolean {
  return payment.status === "charging" && payment.cancelRequested;
}

function ask({ provider, leaseMs }: ChargeParts, { orderId, amount, token }: ChargingPayment): Promise<ChargeOutcome> {
  return provider.charge({ orderId, amount, token }, AbortSignal.timeout(leaseMs));
}

async function settle(parts: ChargeParts, claim: Claim, outcome: ChargeOutcome): Promise<Payment> {
  const { payments, now, logger } = parts;
  const retry = "problem" in outcome;
  const dueAt = retry ? later(parts, claim) : now();
  const settled = await payments.settle(claim, (payment) => settleCharge(payment, outcome, now()), dueAt);
  const facts = { orderId: settled.orderId, status: settled.status, attempt: claim.attempt };
  if (retry) logger.warn({ ...facts, problem: outcome.problem }, "the payment provider gave no answer");
  else if (outcome.kind === "refused")
    logger.error({ ...facts, reason: outcome.reason }, "the payment provider refuses");
  else logger.info(facts, "the payment provider answered");
  if (settled.status === "refunding") parts.wakeRefunds();
  return settled;
}

/** Nothing was asked of the provider: the payment waits for its next turn. */
function postpone(parts: ChargeParts, claim: Claim, problem: string): Promise<Payment> {
  const facts = { orderId: claim.payment.orderId, attempt: claim.attempt, problem };
  parts.logger.warn(facts, "not charged before the order service says that the order is pending");
  return parts.payments.settle(claim, (payment) => payment, later(parts, claim));
}

function later({ now, pauseMs }: ChargeParts, { attempt }: Claim): Date {
  return new Date(now().getTime() + pauseMs(attempt));
}

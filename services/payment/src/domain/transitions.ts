import { type CancelledPayment, type ChargingPayment, NothingChargedError, type Payment } from "./payment.ts";

/** How an attempt to charge ended. */
export type ChargeOutcome =
  | { readonly kind: "charged"; readonly reference: string }
  | { readonly kind: "declined"; readonly reason: string }
  /** The provider certainly took nothing in this attempt: it wasn't reached, or turned the request away. */
  | { readonly kind: "untouched"; readonly problem: string }
  /** There was no usable answer: the provider may have charged. */
  | { readonly kind: "unknown"; readonly problem: string };

/*
 * Each function answers the same object when nothing changes. The way through the states:
 *
 *   pending ──begin──► charging ──charged──► completed ──refund, order cancelled──► refunding ──refunded──► refunded
 *      │ ▲               │ │ └─charged, order cancelled meanwhile─────────────────────▲
 *      │ └──untouched────┘ └──declined──► failed
 *      └──order cancelled──► cancelled ◄── charging, untouched, order cancelled meanwhile
 */

/** The provider is about to be asked. Beginning again means that the attempt before was never settled: its end is in doubt. */
export function beginCharge(payment: Payment, now: Date): Payment {
  switch (payment.status) {
    case "pending":
      return { ...payment, status: "charging", inDoubt: false, cancelRequested: false, updatedAt: now };
    case "charging":
      return payment.inDoubt ? payment : { ...payment, inDoubt: true, updatedAt: now };
    case "completed":
    case "failed":
    case "refunding":
    case "refunded":
    case "cancelled":
      return payment;
  }
}

/** An attempt ended. What another attempt has settled already stays as it is. */
export function settleCharge(payment: Payment, outcome: ChargeOutcome, now: Date): Payment {
  if (payment.status !== "charging") return payment;
  const { token: _, inDoubt, cancelRequested, ...facts } = payment;
  switch (outcome.kind) {
    case "charged":
      return cancelRequested
        ? { ...facts, status: "refunding", reference: outcome.reference, reason: orderCancelledReason, updatedAt: now }
        : { ...facts, status: "completed", reference: outcome.reference, updatedAt: now };
    case "declined":
      return { ...facts, status: "failed", reason: outcome.reason, updatedAt: now };
    case "untouched":
      return inDoubt ? payment : takeBack(payment, now);
    case "unknown":
      return inDoubt ? payment : { ...payment, inDoubt: true, updatedAt: now };
  }
}

/** The order was cancelled: never charge it, or give the charge back. */
export function cancelForOrder(payment: Payment, now: Date): Payment {
  switch (payment.status) {
    case "pending":
      return toCancelled(payment, now);
    case "charging":
      return payment.cancelRequested ? payment : { ...payment, cancelRequested: true, updatedAt: now };
    case "completed":
      return { ...payment, status: "refunding", reason: orderCancelledReason, updatedAt: now };
    case "failed":
    case "refunding":
    case "refunded":
    case "cancelled":
      return payment;
  }
}

/** Somebody wants the charge given back. Throws NothingChargedError. */
export function requestRefund(payment: Payment, reason: string, now: Date): Payment {
  switch (payment.status) {
    case "completed":
      return { ...payment, status: "refunding", reason, updatedAt: now };
    case "refunding":
    case "refunded":
      return payment;
    case "pending":
    case "charging":
    case "failed":
    case "cancelled":
      throw new NothingChargedError(payment.orderId, payment.status);
  }
}

/** The provider gave the charge back. */
export function settleRefund(payment: Payment, now: Date): Payment {
  if (payment.status !== "refunding") return payment;
  const { reason: _, ...facts } = payment;
  return { ...facts, status: "refunded", updatedAt: now };
}

const orderCancelledReason = "the order was cancelled";

function takeBack(payment: ChargingPayment, now: Date): Payment {
  if (payment.cancelRequested) return toCancelled(payment, now);
  const { inDoubt: _, cancelRequested: __, ...facts } = payment;
  return { ...facts, status: "pending", updatedAt: now };
}

function toCancelled({ orderId, userId, amount, createdAt }: Payment, now: Date): CancelledPayment {
  return { orderId, userId, amount, createdAt, status: "cancelled", updatedAt: now };
}

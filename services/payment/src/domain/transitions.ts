import { type CancelledPayment, type ChargingPayment, NothingChargedError, type Payment } from "./payment.ts";

/** How an attempt to charge ended. */
export type ChargeOutcome =
  | { readonly kind: "charged"; readonly reference: string }
  | { readonly kind: "declined"; readonly reason: string }
  /** It will never be carried out, and not for the card's sake: somebody has to look at it. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The provider certainly took nothing in this attempt: it wasn't reached, or turned the request away. */
  | { readonly kind: "untouched"; readonly problem: string }
  /** There was no usable answer: the provider may have charged. */
  | { readonly kind: "unknown"; readonly problem: string };

/** What the provider has of an order. */
export type LookupOutcome =
  | { readonly kind: "charged"; readonly reference: string }
  | { readonly kind: "declined"; readonly reason: string }
  /** Nothing yet: a request may still be on its way. */
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly problem: string };

/*
 * Each function answers the same object when nothing changes. The way through the states:
 *
 *   pending ──begin──► charging ──charged──► completed ──refund, order cancelled──► refunding ──refunded──► refunded
 *      │ ▲               │ │ └─charged, order cancelled meanwhile─────────────────────▲
 *      │ └──untouched────┘ └──declined──► failed
 *      └──order cancelled──► cancelled ◄── charging, order cancelled meanwhile, untouched or nothing found
 *
 * A cancelled payment becomes `refunding` when an attempt that was given up for lost comes back charged after all, or its
 * charge turns up at the provider while it is watched.
 */

/**
 * The provider is about to be asked. Beginning again means that the attempt before was never settled: its end is in doubt.
 * Once the order is cancelled nothing is begun: only a look at what the provider has can settle it.
 */
export function beginCharge(payment: Payment, now: Date): Payment {
  switch (payment.status) {
    case "pending":
      return { ...payment, status: "charging", inDoubt: false, cancelRequested: false, askedAt: now, updatedAt: now };
    case "charging":
      if (payment.cancelRequested) return payment;
      return { ...payment, inDoubt: true, askedAt: now, updatedAt: payment.inDoubt ? payment.updatedAt : now };
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
  if (payment.status === "cancelled") return outcome.kind === "charged" ? owedAfterAll(payment, outcome, now) : payment;
  if (payment.status !== "charging") return payment;
  const { token: _, inDoubt, cancelRequested, askedAt: __, ...facts } = payment;
  switch (outcome.kind) {
    case "charged":
      return cancelRequested
        ? { ...facts, status: "refunding", reference: outcome.reference, reason: orderCancelledReason, updatedAt: now }
        : { ...facts, status: "completed", reference: outcome.reference, updatedAt: now };
    case "declined":
    case "refused":
      return { ...facts, status: "failed", reason: outcome.reason, updatedAt: now };
    case "untouched":
      return inDoubt ? payment : takeBack(payment, now);
    case "unknown":
      return inDoubt ? payment : { ...payment, inDoubt: true, updatedAt: now };
  }
}

export interface Lookup {
  /** When the provider was asked. */
  readonly lookedAt: Date;
  /** How long after it was begun a charge is expected to take effect at the provider, if it does at all. */
  readonly inFlightMs: number;
  /** How long after it was begun it is looked for all the same. */
  readonly watchMs: number;
  readonly now: Date;
}

/** The provider said what it has of a charge whose order was cancelled. */
export function settleLookup(payment: Payment, found: LookupOutcome, lookup: Lookup): Payment {
  switch (found.kind) {
    case "charged":
      return settleCharge(payment, found, lookup.now);
    case "declined":
      return payment.status === "cancelled" ? unwatched(payment) : settleCharge(payment, found, lookup.now);
    case "none":
      return settleNothingFound(payment, lookup);
    case "unknown":
      return payment;
  }
}

function settleNothingFound(payment: Payment, { lookedAt, inFlightMs, watchMs, now }: Lookup): Payment {
  if (payment.status === "cancelled") {
    return payment.watchedUntil && lookedAt >= payment.watchedUntil ? unwatched(payment) : payment;
  }
  if (payment.status !== "charging" || !payment.cancelRequested) return payment;
  const askedAt = payment.askedAt.getTime();
  if (lookedAt.getTime() < askedAt + inFlightMs) return payment;
  return toCancelled(payment, now, new Date(askedAt + watchMs));
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
  const { inDoubt: _, cancelRequested: __, askedAt: ___, ...facts } = payment;
  return { ...facts, status: "pending", updatedAt: now };
}

/** The answer of an attempt that nobody waited for any more. What was never known here can't have been charged from here. */
function owedAfterAll(payment: CancelledPayment, { reference }: { reference: string }, now: Date): Payment {
  const { amount, watchedUntil: _, ...facts } = payment;
  if (!amount) return payment;
  return { ...facts, amount, status: "refunding", reference, reason: orderCancelledReason, updatedAt: now };
}

function unwatched(payment: CancelledPayment): CancelledPayment {
  return payment.watchedUntil === undefined ? payment : { ...payment, watchedUntil: undefined };
}

function toCancelled(payment: Payment, now: Date, watchedUntil?: Date): CancelledPayment {
  const { orderId, userId, amount, createdAt } = payment;
  return { orderId, userId, amount, createdAt, status: "cancelled", watchedUntil, updatedAt: now };
}

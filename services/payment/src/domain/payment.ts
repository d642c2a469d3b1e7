/** An amount in the smallest unit of its currency. */
export interface Money {
  /** ISO 4217. */
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

interface Subject {
  readonly orderId: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** To be charged, and the provider has not heard of it. */
export interface PendingPayment extends Subject {
  readonly status: "pending";
  readonly amount: Money;
  /** What stands for the customer's card at the provider. Never logged, and forgotten once it isn't needed. */
  readonly token: string;
}

/** The provider was asked, or is about to be. */
export interface ChargingPayment extends Subject {
  readonly status: "charging";
  readonly amount: Money;
  readonly token: string;
  /** An earlier attempt ended without an answer: there may be a charge already, and only the provider's answer settles it. */
  readonly inDoubt: boolean;
  /** When the last attempt began: its request left after this. */
  readonly askedAt: Date;
  /** The order was cancelled meanwhile: nothing is charged any more, and a charge that came of this goes back. */
  readonly cancelRequested: boolean;
}

export interface CompletedPayment extends Subject {
  readonly status: "completed";
  readonly amount: Money;
  /** The charge's id at the provider. */
  readonly reference: string;
}

export interface FailedPayment extends Subject {
  readonly status: "failed";
  readonly amount: Money;
  readonly reason: string;
}

/** Charged, and to be given back. */
export interface RefundingPayment extends Subject {
  readonly status: "refunding";
  readonly amount: Money;
  readonly reference: string;
  readonly reason: string;
}

export interface RefundedPayment extends Subject {
  readonly status: "refunded";
  readonly amount: Money;
  readonly reference: string;
}

/** A tombstone: the order was cancelled before it was charged, and it never will be. */
export interface CancelledPayment extends Subject {
  readonly status: "cancelled";
  /** Unknown when the cancellation was the first that was heard of the order. */
  readonly amount: Money | undefined;
  /**
   * A charge had been begun, and the provider has nothing of it: until then it is looked for all the same, now and then.
   * Undefined when none can turn up.
   */
  readonly watchedUntil: Date | undefined;
}

/** The one payment of an order. */
export type Payment =
  | PendingPayment
  | ChargingPayment
  | CompletedPayment
  | FailedPayment
  | RefundingPayment
  | RefundedPayment
  | CancelledPayment;

export type PaymentStatus = Payment["status"];

export interface PayableOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly amount: Money;
  readonly token: string;
}

/** An order was placed: it is to be charged. */
export function openPayment(order: PayableOrder, now: Date): PendingPayment {
  return { ...order, status: "pending", createdAt: now, updatedAt: now };
}

/** An order was cancelled before anything was heard of it. */
export function buryPayment(order: Pick<PayableOrder, "orderId" | "userId">, now: Date): CancelledPayment {
  const { orderId, userId } = order;
  const unknown = { amount: undefined, watchedUntil: undefined };
  return { orderId, userId, status: "cancelled", ...unknown, createdAt: now, updatedAt: now };
}

export class PaymentNotFoundError extends Error {
  override readonly name = "PaymentNotFoundError";
  constructor(orderId: string) {
    super(`no payment is known for order ${orderId}: an order that was just placed takes a moment to arrive here`);
  }
}

export class NothingChargedError extends Error {
  override readonly name = "NothingChargedError";
  constructor(orderId: string, status: PaymentStatus) {
    super(`nothing was charged for order ${orderId}, so nothing can be refunded: its payment is ${spoken[status]}`);
  }
}

const spoken: Readonly<Record<PaymentStatus, string>> = {
  pending: "PENDING",
  charging: "PENDING",
  completed: "COMPLETED",
  failed: "FAILED",
  refunding: "REFUNDING",
  refunded: "REFUNDED",
  cancelled: "CANCELLED",
};

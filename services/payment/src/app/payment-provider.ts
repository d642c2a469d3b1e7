import type { Money } from "../domain/payment.ts";
import type { ChargeOutcome, LookupOutcome } from "../domain/transitions.ts";

/** Who moves the money. Charges and refunds are idempotent: the same order again is the same charge, and the same refund. */
export interface PaymentProvider {
  /** Never rejects for what happens at the provider or on the way there: all of it is an outcome. */
  charge(charge: Charge, signal: AbortSignal): Promise<ChargeOutcome>;
  /** What became of the charge of an order; changes nothing. Like `charge`, it never rejects. */
  find(orderId: string, signal: AbortSignal): Promise<LookupOutcome>;
  /** Gives a whole charge back. */
  refund(refund: Refund, signal: AbortSignal): Promise<RefundOutcome>;
}

export interface Charge {
  readonly orderId: string;
  readonly amount: Money;
  readonly token: string;
}

export interface Refund {
  readonly orderId: string;
  /** The charge's id at the provider. */
  readonly reference: string;
  readonly amount: Money;
}

export type RefundOutcome =
  | { readonly kind: "refunded" }
  /** Not yet, or nobody knows: to be tried again. */
  | { readonly kind: "failed"; readonly problem: string };

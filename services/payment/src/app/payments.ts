import type { Origin } from "@weft/telemetry";
import type { Payment } from "../domain/payment.ts";

/** Where payments are kept. Each change and the event that tells of it are one transaction. */
export interface Payments {
  /** Adds the order's payment; false when it has one already, which stays as it is. */
  add(payment: Payment): Promise<boolean>;
  get(orderId: string): Promise<Payment | undefined>;
  /** Locks the payment, applies `change` and keeps the result; undefined when there is none. Throws what `change` throws. */
  change(orderId: string, change: (payment: Payment) => Payment): Promise<Payment | undefined>;
  /** Takes up to `limit` payments whose work is due; nobody else gets them until `leaseMs` after `now`. */
  claimDue(work: Work, limit: number, leaseMs: number, now: Date): Promise<readonly Claim[]>;
  /** Takes this one, due or not; undefined when it has no such work or somebody is at it. */
  claimOne(work: Work, orderId: string, leaseMs: number, now: Date): Promise<Claim | undefined>;
  /**
   * Changes a claimed payment and keeps the claim, until `leaseMs` after `now`. Undefined when the claim ran out and
   * somebody else has it.
   */
  proceed(
    claim: Claim,
    change: (payment: Payment) => Payment,
    leaseMs: number,
    now: Date,
  ): Promise<Payment | undefined>;
  /** Changes it and ends the claim. If work is left, it is due at `dueAt`. Applies to a claim that ran out, too. */
  settle(claim: Claim, change: (payment: Payment) => Payment, dueAt: Date): Promise<Payment>;
}

/** What can be owed: a charge (pending, charging), a refund (refunding), or a look for a charge that may still turn up (cancelled). */
export type Work = "charge" | "refund" | "watch";

/** A payment that somebody is at work on. */
export interface Claim {
  readonly payment: Payment;
  /** Tells this claim from later ones of the same payment. */
  readonly lease: string;
  /** 1 at the first. */
  readonly attempt: number;
  readonly origin: Origin;
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buryPayment, NothingChargedError, openPayment, type Payment, type PaymentStatus } from "./payment.ts";
import {
  beginCharge,
  type ChargeOutcome,
  cancelForOrder,
  type LookupOutcome,
  requestRefund,
  settleCharge,
  settleLookup,
  settleRefund,
} from "./transitions.ts";

const opened = new Date("2026-01-02T03:04:05Z");
const later = new Date("2026-01-02T03:04:06Z");
const amount = { currencyCode: "USD", minorUnits: 1250n };
const order = { orderId: "order-1", userId: "user-1", amount, token: "tok_visa" };

const charged: ChargeOutcome = { kind: "charged", reference: "ch_1" };
const declined: ChargeOutcome = { kind: "declined", reason: "card_declined" };
const untouched: ChargeOutcome = { kind: "untouched", problem: "ECONNREFUSED" };
const unknown: ChargeOutcome = { kind: "unknown", problem: "TimeoutError" };

const inFlightMs = 15_000;
const watchMs = 60_000;
const lookup = (payment: Payment, found: LookupOutcome, msAfterBegin = inFlightMs): Payment =>
  settleLookup(payment, found, { lookedAt: new Date(later.getTime() + msAfterBegin), inFlightMs, watchMs, now: later });

const pending = openPayment(order, opened);
const charging = beginCharge(pending, later);
const inDoubt = beginCharge(charging, later);
const cancelling = cancelForOrder(charging, later);
const completed = settleCharge(charging, charged, later);
const failed = settleCharge(charging, declined, later);
const refunding = requestRefund(completed, "wrong size", later);
const refunded = settleRefund(refunding, later);
const cancelled = cancelForOrder(pending, later);
const watched = lookup(cancelling, { kind: "none" });
const every: readonly Payment[] = [
  ...[pending, charging, inDoubt, cancelling, completed, failed, refunding, refunded, cancelled, watched],
  buryPayment(order, opened),
];

describe("a payment", () => {
  it("is completed by a charge and failed by a decline, and forgets the token with either", () => {
    expect(completed).toMatchObject({ status: "completed", reference: "ch_1", updatedAt: later });
    expect(failed).toMatchObject({ status: "failed", reason: "card_declined" });
    for (const settled of [completed, failed]) expect(settled).not.toHaveProperty("token");
  });

  it("that was not charged when its order is cancelled never will be", () => {
    expect(cancelled).toMatchObject({ status: "cancelled", amount });
    expect(beginCharge(cancelled, later)).toBe(cancelled);
  });

  it("that is being charged when its order is cancelled becomes a refund", () => {
    expect(settleCharge(cancelling, charged, later)).toMatchObject({ status: "refunding", reference: "ch_1" });
    expect(settleCharge(cancelling, declined, later)).toMatchObject({ status: "failed" });
    expect(settleCharge(cancelling, untouched, later)).toMatchObject({ status: "cancelled" });
  });

  it("is not begun again once its order is cancelled: what the provider has of it settles it", () => {
    expect(beginCharge(cancelling, later)).toBe(cancelling);
    expect(lookup(cancelling, charged)).toMatchObject({ status: "refunding", reference: "ch_1" });
    expect(lookup(cancelling, declined)).toMatchObject({ status: "failed" });
    expect(lookup(cancelling, { kind: "none" })).toMatchObject({ status: "cancelled", amount });
    expect(lookup(cancelling, unknown)).toBe(cancelling);
  });

  it("is not believed to be uncharged while a request of it may be on its way", () => {
    expect(lookup(cancelling, { kind: "none" }, inFlightMs - 1)).toBe(cancelling);
    expect(lookup(cancelling, charged, 0)).toMatchObject({ status: "refunding" });
    const again = beginCharge(inDoubt, new Date(later.getTime() + 1));
    expect(lookup(cancelForOrder(again, later), { kind: "none" })).toMatchObject({ status: "charging" });
  });

  it("that is believed to be uncharged is watched for a while, and given back when its charge turns up", () => {
    expect(cancelled).toMatchObject({ watchedUntil: undefined });
    expect(watched).toMatchObject({ watchedUntil: new Date(later.getTime() + watchMs) });
    expect(lookup(watched, { kind: "none" }, watchMs - 1)).toBe(watched);
    expect(lookup(watched, unknown, watchMs + 1)).toBe(watched);
    const late = lookup(watched, charged, watchMs - 1);
    expect(late).toMatchObject({ status: "refunding", reference: "ch_1", amount });
    expect(late).not.toHaveProperty("watchedUntil");
    for (const end of [lookup(watched, { kind: "none" }, watchMs), lookup(watched, declined)]) {
      expect(end).toMatchObject({ status: "cancelled", watchedUntil: undefined });
    }
  });

  it("is only looked up for a cancelled order: that nothing was found settles no other", () => {
    for (const payment of every.filter((each) => each !== cancelling)) {
      expect(lookup(payment, { kind: "none" })).toBe(payment);
    }
  });

  it("is given back when an attempt that was given up for lost comes back charged", () => {
    expect(settleCharge(cancelled, charged, later)).toMatchObject({ status: "refunding", reference: "ch_1", amount });
    const buried = buryPayment(order, opened);
    expect(settleCharge(buried, charged, later)).toBe(buried);
  });

  it("fails for good when the provider will never take its request", () => {
    expect(settleCharge(inDoubt, { kind: "refused", reason: "idempotency_key_reused" }, later)).toMatchObject({
      status: "failed",
      reason: "idempotency_key_reused",
    });
  });

  it("that was charged when its order is cancelled is given back", () => {
    expect(cancelForOrder(completed, later)).toMatchObject({ status: "refunding", reference: "ch_1" });
  });

  it("goes back to pending when the provider certainly took nothing", () => {
    expect(settleCharge(charging, untouched, later)).toStrictEqual({ ...pending, updatedAt: later });
  });

  it("stays in doubt until the provider says what became of it", () => {
    const lost = settleCharge(charging, unknown, later);
    expect(lost).toMatchObject({ status: "charging", inDoubt: true });
    expect(settleCharge(lost, untouched, later)).toBe(lost);
    expect(cancelForOrder(lost, later)).toMatchObject({ status: "charging", cancelRequested: true });
    expect(settleCharge(lost, charged, later)).toMatchObject({ status: "completed" });
  });

  it("can be refunded only when something was charged", () => {
    for (const payment of [pending, charging, inDoubt, cancelling, failed, cancelled]) {
      expect(() => requestRefund(payment, "", later)).toThrow(NothingChargedError);
    }
    expect(refunding).toMatchObject({ status: "refunding", reason: "wrong size" });
    expect(requestRefund(refunding, "again", later)).toBe(refunding);
    expect(requestRefund(refunded, "again", later)).toBe(refunded);
  });

  it("stays as it is once it has ended", () => {
    for (const ended of [failed, refunded, buryPayment(order, opened)]) {
      expect(beginCharge(ended, later)).toBe(ended);
      expect(cancelForOrder(ended, later)).toBe(ended);
      for (const outcome of [charged, declined, untouched, unknown]) {
        expect(settleCharge(ended, outcome, later)).toBe(ended);
      }
      expect(settleRefund(ended, later)).toBe(ended);
    }
  });

  it("changes by one of the drawn ways only", () => {
    const ways: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
      pending: ["charging", "cancelled"],
      charging: ["pending", "completed", "failed", "refunding", "cancelled"],
      completed: ["refunding"],
      refunding: ["refunded"],
      failed: [],
      refunded: [],
      cancelled: ["refunding"],
    };
    const moves: readonly ((payment: Payment) => Payment)[] = [
      (payment) => beginCharge(payment, later),
      (payment) => cancelForOrder(payment, later),
      (payment) => settleRefund(payment, later),
      ...[charged, declined, untouched, unknown].map(
        (outcome) => (payment: Payment) => settleCharge(payment, outcome, later),
      ),
      ...[charged, declined, unknown, { kind: "none" } as const].map(
        (found) => (payment: Payment) => lookup(payment, found),
      ),
    ];
    for (const before of every) {
      for (const move of moves) expect([before.status, ...ways[before.status]]).toContain(move(before).status);
    }
  });
});

/** A provider that remembers a charge by its key, and attempts that may crash before or after it. */
type Step = "answer" | "crash after the charge" | "crash before the charge" | "lost" | "unreached" | "order cancelled";

describe("whatever crashes and gets lost on the way", () => {
  const steps = fc.array(
    fc.constantFrom<Step>(
      ...(["answer", "crash after the charge", "crash before the charge", "lost", "unreached"] as const),
      "order cancelled",
    ),
    { maxLength: 12 },
  );

  it("money that was taken is kept or given back, and never forgotten", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (taken, isBadCard) => {
        let payment: Payment = openPayment(order, opened);
        let charges = 0;
        let declines = 0;
        let chargesAtCancel: number | undefined;
        let wasCancelled = false;
        const charge = (): ChargeOutcome => {
          if (isBadCard) {
            declines = 1;
            return declined;
          }
          charges = 1;
          return charged;
        };
        const attempt = (step: Step): void => {
          payment = beginCharge(payment, later);
          if (payment.status === "charging" && payment.cancelRequested) {
            const found: LookupOutcome = charges > 0 ? charged : declines > 0 ? declined : { kind: "none" };
            if (step === "answer") payment = lookup(payment, found);
            return;
          }
          if (payment.status !== "charging" || step === "crash before the charge") return;
          if (step === "unreached") payment = settleCharge(payment, untouched, later);
          else {
            const outcome = charge();
            if (step === "lost") payment = settleCharge(payment, unknown, later);
            if (step === "answer") payment = settleCharge(payment, outcome, later);
          }
        };
        for (const step of taken) {
          if (step !== "order cancelled") attempt(step);
          else {
            wasCancelled = true;
            chargesAtCancel ??= charges;
            payment = cancelForOrder(payment, later);
          }
          // What is settled agrees with the provider at every moment.
          if (payment.status === "cancelled" || payment.status === "failed") expect(charges).toBe(0);
          if (payment.status === "pending") expect(charges).toBe(0);
          if (payment.status === "completed" || payment.status === "refunding") expect(charges).toBe(1);
        }
        attempt("answer");
        // Nothing was charged after the order was cancelled.
        if (chargesAtCancel !== undefined) expect(charges).toBe(chargesAtCancel);
        payment = settleRefund(payment, later);
        const expected: PaymentStatus[] = wasCancelled ? ["cancelled", "failed", "refunded"] : ["completed", "failed"];
        expect(expected).toContain(payment.status);
      }),
      { numRuns: 2_000 },
    );
  });
});

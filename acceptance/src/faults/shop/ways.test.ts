import { expect, it } from "vitest";
import { createFindings, failure } from "../runner/findings.ts";
import { fateOf } from "./fates.ts";
import type { FatedOrder } from "./orders.ts";
import { auditWays, stockWasGone } from "./ways.ts";

/** What an order says that went the way of each fate. */
const ways: Readonly<Record<string, readonly [status: string, reason: string]>> = {
  paid: ["ORDER_STATUS_CONFIRMED", ""],
  delivered: ["ORDER_STATUS_DELIVERED", ""],
  declined: ["ORDER_STATUS_CANCELLED", "the payment failed: card_declined"],
  "cancelled by the customer": ["ORDER_STATUS_CANCELLED", "the customer changed their mind"],
  "refunded by an operator": ["ORDER_STATUS_CANCELLED", "refunded"],
  "without stock": ["ORDER_STATUS_CANCELLED", "the reservation expired, and the stock is gone: moka-pot"],
  "not paid in time": ["ORDER_STATUS_CANCELLED", "the payment did not arrive in time"],
};

/** A hundred orders, each of which went the way of the fate that `wayOf` names. */
function ordersThatWent(wayOf: (fate: string, n: number) => string): readonly FatedOrder[] {
  return Array.from({ length: 100 }, (_, n) => {
    const fate = fateOf(n);
    const [status = "", reason = ""] = ways[wayOf(fate.name, n)] ?? [];
    const total = { currencyCode: "USD", minorUnits: "100" };
    const { token, ends } = fate;
    const final = { id: `${n}`, version: 2, total, status, reason };
    const asked = { key: `${n}`, userId: "ada", email: "ada@example.com", items: [], token, ends };
    return { fate, wish: { ...asked, cancelAfterMs: undefined, orderId: `${n}`, final } };
  });
}

function failuresOf(orders: readonly FatedOrder[]): readonly string[] {
  const findings = createFindings();
  auditWays(orders, { findings, size: (full) => full });
  return findings.all.flatMap((finding) => failure(finding) ?? []);
}

it("has nothing to say when each order went its way", () => {
  expect(failuresOf(ordersThatWent((fate) => fate))).toEqual([]);
});

it("bears that the crashes take some of them longer than a time-out", () => {
  const late = ordersThatWent((fate, n) => (n % 4 === 0 ? "not paid in time" : fate));
  expect(failuresOf(late)).toEqual([]);
});

it("finds a shop that cancels whatever comes, for one reason", () => {
  expect(failuresOf(ordersThatWent(() => "not paid in time"))).toEqual([
    "paid, of 40 orders: 0 instead of at least 20",
    "delivered, of 12 orders: 0 instead of at least 6",
    "declined, of 12 orders: 0 instead of at least 6",
    "cancelled by the customer, of 14 orders: 0 instead of at least 7",
    "refunded by an operator, of 12 orders: 0 instead of at least 6",
  ]);
});

it("knows whether scarce stock was gone for one that asked for it", () => {
  expect(stockWasGone(ordersThatWent((fate) => fate))).toBe(true);
  expect(stockWasGone(ordersThatWent((fate) => (fate === "without stock" ? "declined" : fate)))).toBe(false);
  expect(stockWasGone(ordersThatWent((fate) => (fate === "paid" ? "without stock" : "declined")))).toBe(false);
});

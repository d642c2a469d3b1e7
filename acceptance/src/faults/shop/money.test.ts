import { expect, it } from "vitest";
import { wrongMoney } from "./money.ts";
import type { EndedOrder } from "./wish.ts";

const order = (status: string): EndedOrder => ({
  id: "7",
  email: "ada@example.com",
  items: [],
  final: { id: "7", status: `ORDER_STATUS_${status}`, version: 2, total: { currencyCode: "USD", minorUnits: "500" } },
});
const charge = { order_id: "7", status: "succeeded", amount_minor: 500 };
const declined = { ...charge, status: "declined" };
const refund = { order_id: "7", amount_minor: 500 };

it.each([
  ["a confirmed order was charged once", "CONFIRMED", [charge], []],
  ["a delivered order was charged once", "DELIVERED", [charge], []],
  ["a cancelled one never", "CANCELLED", [], []],
  ["a cancelled one was declined", "CANCELLED", [declined], []],
  ["a cancelled one got its money back", "CANCELLED", [charge], [refund]],
])("the books agree when %s", (_, status, charges, refunds) => {
  expect(wrongMoney([order(status)], { charges, refunds })).toEqual([]);
});

it.each([
  ["a confirmed order was never charged", "CONFIRMED", [declined], [], /charged 0 times/],
  [
    "a confirmed order was charged twice, though one went back",
    "CONFIRMED",
    [charge, charge],
    [refund],
    /charged 2 times/,
  ],
  [
    "a confirmed order was charged too little",
    "CONFIRMED",
    [{ ...charge, amount_minor: 499 }],
    [],
    /499 .*instead of 500/,
  ],
  ["a confirmed order got its money back", "CONFIRMED", [charge], [refund], /0 minor units kept instead of 500/],
  ["a cancelled order's money was kept", "CANCELLED", [charge], [], /500 minor units kept instead of 0/],
  ["a cancelled order got back more than was taken", "CANCELLED", [charge], [refund, refund], /-500 minor units kept/],
  ["something else was charged", "CANCELLED", [{ ...charge, order_id: "8" }], [], /8 was charged and is no order/],
])("the books disagree when %s", (_, status, charges, refunds, words) => {
  expect(wrongMoney([order(status)], { charges, refunds })).toContainEqual(expect.stringMatching(words));
});

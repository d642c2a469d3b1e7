import { expect, it } from "vitest";
import { fateOf, fates } from "./fates.ts";

const first = (orders: number) => Array.from({ length: orders }, (_, n) => fateOf(n));
const total = { currencyCode: "USD", minorUnits: "100" };

it("gives each fate its share of a hundred orders", () => {
  const counts = Map.groupBy(first(100), ({ name }) => name);
  expect(fates.map(({ name }) => counts.get(name)?.length)).toEqual(fates.map(({ share }) => share));
});

it("mixes them evenly: each has come before sixty orders are placed", () => {
  expect(new Set(first(60)).size).toBe(fates.length);
});

it.each([
  ["ORDER_STATUS_CONFIRMED", "", "paid"],
  ["ORDER_STATUS_DELIVERED", "", "delivered"],
  ["ORDER_STATUS_CANCELLED", "the payment failed: card_declined", "declined"],
  ["ORDER_STATUS_CANCELLED", "the customer changed their mind", "cancelled by the customer"],
  ["ORDER_STATUS_CANCELLED", "refunded", "refunded by an operator"],
  ["ORDER_STATUS_CANCELLED", "the reservation expired, and the stock is gone: moka-pot", "without stock"],
  ["ORDER_STATUS_CANCELLED", "the payment did not arrive in time", "not paid in time"],
  ["ORDER_STATUS_PENDING", "", undefined],
])("takes an order that is %s %s for one that was %s", (status, reason, name) => {
  const order = { id: "1", version: 2, total, status, reason };
  expect(fates.filter(({ isMeant }) => isMeant(order)).map((fate) => fate.name)).toEqual(name ? [name] : []);
});

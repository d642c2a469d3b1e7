import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MixedCurrenciesError } from "./money.ts";
import {
  abandonUnfilled,
  abandonUnpaid,
  cancel,
  confirmPaid,
  isRepeat,
  moveByHand,
  type Order,
  PaymentConfirmsError,
  placeOrder,
} from "./order.ts";
import { orderAfter } from "./order-change.ts";
import { canBecome, isFinal, type OrderStatus, orderStatuses, TransitionRefusedError } from "./order-status.ts";

const placedAt = new Date("2026-05-01T10:00:00Z");
const later = new Date("2026-05-01T10:05:00Z");
const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
const pending = placeOrder("order-1", "user-1", [{ productId: "mug", quantity: 2, unitPrice: usd(1250n) }], placedAt);
const inState = (status: OrderStatus): Order => ({ ...pending, status, version: 3 });

type Outcome = OrderStatus | "same" | "refused" | "payment alone";

/** Tries an intention from every state. */
function outcomes(intend: (order: Order) => Order): Record<OrderStatus, Outcome> {
  const attempt = (status: OrderStatus): Outcome => {
    const before = inState(status);
    try {
      const after = intend(before);
      if (after === before) return "same";
      expect(after).toMatchObject({ version: 4, updatedAt: later, createdAt: placedAt, total: before.total });
      return after.status;
    } catch (error) {
      if (error instanceof PaymentConfirmsError) return "payment alone";
      expect(error).toBeInstanceOf(TransitionRefusedError);
      return "refused";
    }
  };
  return Object.fromEntries(orderStatuses.map((status) => [status, attempt(status)])) as Record<OrderStatus, Outcome>;
}

describe("an order", () => {
  it("begins PENDING, at version 1, with the sum of its items as its total", () => {
    const items = fc.array(
      fc.record({
        productId: fc.stringMatching(/^[a-z0-9]{1,20}$/),
        quantity: fc.integer({ min: 1, max: 1_000_000 }),
        unitPrice: fc.bigInt({ min: 0n, max: 10n ** 10n }).map(usd),
      }),
      { minLength: 1, maxLength: 100 },
    );
    fc.assert(
      fc.property(items, (lines) => {
        const order = placeOrder("order-1", "user-1", lines, placedAt);
        const expected = lines.reduce((total, line) => total + line.unitPrice.minorUnits * BigInt(line.quantity), 0n);
        expect(order).toMatchObject({ status: "PENDING", version: 1, reason: "", total: usd(expected) });
      }),
    );
  });

  it("has one currency", () => {
    const items = [
      { productId: "mug", quantity: 1, unitPrice: usd(1n) },
      { productId: "tea", quantity: 1, unitPrice: { currencyCode: "EUR", minorUnits: 1n } },
    ];
    expect(() => placeOrder("order-1", "user-1", items, placedAt)).toThrow(MixedCurrenciesError);
  });

  it("is a repeat of another when the same user ordered the same things, at whatever price", () => {
    const item = { productId: "mug", quantity: 2, unitPrice: usd(1300n) };
    const again = (userId: string, quantity: number) =>
      placeOrder("order-1", userId, [{ ...item, quantity }], placedAt);
    expect(isRepeat(again("user-1", 2), inState("SHIPPED"))).toBe(true);
    expect(isRepeat(again("user-2", 2), pending)).toBe(false);
    expect(isRepeat(again("user-1", 3), pending)).toBe(false);
  });

  it("can be followed by its changes alone", () => {
    const confirmed = confirmPaid(pending, later);
    const { version, status, reason, updatedAt } = confirmed;
    expect(orderAfter(pending, { version, status, reason, updatedAt })).toEqual(confirmed);
  });
});

describe("the states of an order", () => {
  it("follow this table and no other", () => {
    const table = orderStatuses.map((from) => [from, orderStatuses.filter((to) => canBecome(from, to))]);
    expect(Object.fromEntries(table)).toEqual({
      PENDING: ["CONFIRMED", "CANCELLED"],
      CONFIRMED: ["SHIPPED", "CANCELLED"],
      SHIPPED: ["DELIVERED"],
      DELIVERED: [],
      CANCELLED: [],
    });
    expect(orderStatuses.filter(isFinal)).toEqual(["DELIVERED", "CANCELLED"]);
  });

  const rows: [string, (order: Order) => Order, Record<OrderStatus, Outcome>][] = [
    [
      "a payment confirms what waits for it and touches nothing else",
      (order) => confirmPaid(order, later),
      { PENDING: "CONFIRMED", CONFIRMED: "same", SHIPPED: "same", DELIVERED: "same", CANCELLED: "same" },
    ],
    [
      "a failed payment or a time-out cancels what waits for it and touches nothing else",
      (order) => abandonUnpaid(order, "declined", later),
      { PENDING: "CANCELLED", CONFIRMED: "same", SHIPPED: "same", DELIVERED: "same", CANCELLED: "same" },
    ],
    [
      "lost stock cancels what has not left the house",
      (order) => abandonUnfilled(order, "stock gone", later),
      { PENDING: "CANCELLED", CONFIRMED: "CANCELLED", SHIPPED: "same", DELIVERED: "same", CANCELLED: "same" },
    ],
    [
      "a customer cancels what has not left the house, once",
      (order) => cancel(order, "changed my mind", later),
      { PENDING: "CANCELLED", CONFIRMED: "CANCELLED", SHIPPED: "refused", DELIVERED: "refused", CANCELLED: "same" },
    ],
    [
      "an operator never confirms",
      (order) => moveByHand(order, "CONFIRMED", "", later),
      {
        PENDING: "payment alone",
        CONFIRMED: "payment alone",
        SHIPPED: "payment alone",
        DELIVERED: "payment alone",
        CANCELLED: "payment alone",
      },
    ],
    [
      "an operator ships what is confirmed",
      (order) => moveByHand(order, "SHIPPED", "", later),
      { PENDING: "refused", CONFIRMED: "SHIPPED", SHIPPED: "same", DELIVERED: "refused", CANCELLED: "refused" },
    ],
    [
      "an operator delivers what is shipped",
      (order) => moveByHand(order, "DELIVERED", "", later),
      { PENDING: "refused", CONFIRMED: "refused", SHIPPED: "DELIVERED", DELIVERED: "same", CANCELLED: "refused" },
    ],
    [
      "an operator cancels what has not left the house",
      (order) => moveByHand(order, "CANCELLED", "fraud", later),
      { PENDING: "CANCELLED", CONFIRMED: "CANCELLED", SHIPPED: "refused", DELIVERED: "refused", CANCELLED: "same" },
    ],
    [
      "an operator never goes back to the beginning",
      (order) => moveByHand(order, "PENDING", "", later),
      { PENDING: "same", CONFIRMED: "refused", SHIPPED: "refused", DELIVERED: "refused", CANCELLED: "refused" },
    ],
  ];
  it.each(rows)("%s", (_sentence, intend, expected) => {
    expect(outcomes(intend)).toEqual(expected);
  });

  it("name both states and what is allowed when a step is refused", () => {
    expect(() => moveByHand(inState("SHIPPED"), "CANCELLED", "", later)).toThrow(
      "order order-1 is SHIPPED and can't become CANCELLED: from SHIPPED it can become DELIVERED",
    );
    expect(() => moveByHand(inState("PENDING"), "SHIPPED", "", later)).toThrow(
      "order order-1 is PENDING and can't become SHIPPED: from PENDING it can become CONFIRMED or CANCELLED",
    );
    expect(() => moveByHand(inState("DELIVERED"), "SHIPPED", "", later)).toThrow(/DELIVERED is final/);
    expect(() => moveByHand(inState("PENDING"), "CONFIRMED", "", later)).toThrow(/a payment alone confirms an order/);
  });

  it("keep the reason of the last step", () => {
    expect(cancel(pending, "changed my mind", later).reason).toBe("changed my mind");
    expect(moveByHand(inState("CONFIRMED"), "SHIPPED", "", later).reason).toBe("");
  });
});

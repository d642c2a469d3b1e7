import { describe, expect, it } from "vitest";
import { orderIdOf } from "../domain/order-id.ts";
import { ProductNotFoundError, UserDeletedError } from "../domain/refusals.ts";
import { createOrder } from "./create-order.ts";
import type { Customer } from "./customers.ts";
import type { PlacedOrder } from "./orders.ts";

const now = new Date("2026-05-01T10:00:00Z");
const ada: Customer = {
  id: "ada",
  email: "ada@example.com",
  name: "Ada Lovelace",
  status: "active",
  createdAt: now,
  updatedAt: now,
};
const command = { userId: "ada", items: [{ productId: "mug", quantity: 2 }], paymentToken: "tok_visa" };

function open({ customer = ada, known = true }: { readonly customer?: Customer; readonly known?: boolean } = {}) {
  const placed: PlacedOrder[] = [];
  const steps: string[] = [];
  let keys = 0;
  const create = createOrder({
    customers: {
      async find() {
        steps.push("user");
        await new Promise(setImmediate);
        steps.push("user known");
        return customer;
      },
    },
    warehouse: {
      async quote() {
        steps.push("prices");
        if (!known) throw new ProductNotFoundError("product mug does not exist");
        return [{ productId: "mug", left: 5, unitPrice: { currencyCode: "USD", minorUnits: 1250n } }];
      },
      async reserve(orderId) {
        steps.push(`reserve ${orderId}`);
      },
    },
    orders: {
      async add(placement) {
        steps.push("keep");
        placed.push(placement);
        return placement.order;
      },
      change: () => Promise.reject(new Error("nothing changes here")),
      get: async () => undefined,
      pageOfUser: async () => [],
    },
    newKey: () => `generated-${++keys}`,
    now: () => now,
    paymentTimeoutMs: 900_000,
  });
  return { create, placed, steps };
}

describe("placing an order", () => {
  it("holds the stock under the id that the order is then kept under, and keeps it last", async () => {
    const { create, steps } = open();
    const order = await create({ ...command, key: "key-1" });
    expect(order.id).toBe(orderIdOf("ada", "key-1"));
    expect(steps).toEqual(["user", "prices", "user known", `reserve ${order.id}`, "keep"]);
  });

  it("tells who may not order of that first, though the goods were asked for at the same time", async () => {
    const { create, steps } = open({ customer: { ...ada, status: "deleted" }, known: false });
    await expect(create({ ...command, key: "key-1" })).rejects.toThrow(UserDeletedError);
    expect(steps).toEqual(["user", "prices", "user known"]);
  });

  it("is a new order each time when the caller gave no key", async () => {
    const { create } = open();
    const one = await create({ ...command, key: undefined });
    const other = await create({ ...command, key: undefined });
    expect([one.id, other.id]).toEqual([orderIdOf("ada", "generated-1"), orderIdOf("ada", "generated-2")]);
  });

  it("waits for its payment as long as the setting says", async () => {
    const { create, placed } = open();
    await create({ ...command, key: "key-1" });
    expect(placed[0]).toMatchObject({ paymentToken: "tok_visa", payBy: new Date("2026-05-01T10:15:00Z") });
  });
});

import { randomUUID } from "node:crypto";
import { OrderStatus } from "@shop/contracts/order";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { orderEvents } from "../testing/order-events.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { inFlightMs, leaseMs, openPaymentService, pauseMs, type RunningPayment } from "../testing/running-payment.ts";

let provider: ProviderSimulator;
let payment: RunningPayment;
let order: ReturnType<typeof orderEvents>;
let id: string;

beforeAll(async () => {
  provider = await startProviderSimulator();
  payment = await openPaymentService({ providerUrl: provider.url, timeoutMs: 500 });
  order = orderEvents(payment);
});
afterAll(async () => {
  await payment?.close();
  await provider?.stop();
});
beforeEach(() => {
  id = randomUUID();
});
afterEach(async () => {
  payment.during.request = payment.during.charge = payment.during.find = undefined;
  payment.standings.clear();
  await provider.fault({ fail: 0, stall: 0, lose: 0 });
  await payment.empty();
});

const status = async (): Promise<string | undefined> => (await payment.payments.get(id))?.status;

describe("a cancelled order", () => {
  it("that was not charged never is", async () => {
    await order.created(id);
    await order.cancelled(id);
    expect(await payment.turn("charge")).toEqual([]);
    expect(await status()).toBe("cancelled");
    expect(await provider.charges(id)).toEqual([]);
  });

  it("that was not heard of before leaves a tombstone, which no later event revives", async () => {
    await order.cancelled(id);
    await order.created(id);
    expect(await payment.turn("charge")).toEqual([]);
    expect(await payment.payments.get(id)).toMatchObject({ status: "cancelled", amount: undefined });
  });

  it("that was cancelled while the order service was being asked is not charged", async () => {
    await order.created(id);
    const [claim] = await payment.claim("charge");
    await order.cancelled(id);
    if (claim) await payment.charge(claim);
    expect(await status()).toBe("cancelled");
    expect(await provider.charges(id)).toEqual([]);
  });

  it("that is being charged gets its money back", async () => {
    await order.created(id);
    payment.during.charge = (orderId) => order.cancelled(orderId);
    await payment.turn("charge");
    expect(await status()).toBe("refunding");
    await payment.turn("refund");
    expect(await status()).toBe("refunded");
    expect(await provider.refunds(id)).toMatchObject([{ amount_minor: 1250 }]);
    expect(await payment.published(id)).toEqual(["PaymentRefunded"]);
  });

  it.each(["fail", "stall"])(
    "is not charged by a retry, after a provider that %ss the first request",
    async (fault) => {
      await order.created(id);
      await provider.fault({ [fault]: 1 });
      await payment.turn("charge");
      await order.cancelled(id);
      payment.pass(pauseMs);
      expect(await payment.turn("charge")).toMatchObject([{ status: "charging", cancelRequested: true }]);
      payment.pass(inFlightMs);
      expect(await payment.turn("charge")).toMatchObject([{ status: "cancelled" }]);
      expect(await provider.charges(id)).toEqual([]);
      expect(await payment.published(id)).toEqual([]);
    },
  );

  it("is not charged after a crash before the request: its tombstone is all that is left", async () => {
    await order.created(id);
    payment.during.request = () => Promise.reject(new Error("crash"));
    await expect(payment.turn("charge")).rejects.toThrow("crash");
    payment.during.request = undefined;
    payment.standings.set(id, "cancelled");
    payment.pass(leaseMs);
    expect(await payment.turn("charge")).toMatchObject([{ status: "cancelled" }]);
    expect(await provider.charges(id)).toEqual([]);
  });

  it("gets back what a lost answer charged, without a second request to charge", async () => {
    await order.created(id);
    await provider.fault({ lose: 1 });
    await payment.turn("charge");
    await order.cancelled(id);
    payment.pass(pauseMs);
    payment.during.request = () => Promise.reject(new Error("nobody asks for a charge"));
    expect(await payment.turn("charge")).toMatchObject([{ status: "refunding" }]);
    await payment.turn("refund");
    expect(await provider.refunds(id)).toHaveLength(1);
    expect(await payment.published(id)).toEqual(["PaymentRefunded"]);
  });

  it("is not believed to be uncharged while its request may be on its way: a late charge goes back", async () => {
    const slow = await openPaymentService({ providerUrl: provider.url, timeoutMs: 50 });
    const events = orderEvents(slow);
    await events.created(id, { token: "tok_slow" });
    await slow.turn("charge");
    await events.cancelled(id);
    slow.pass(pauseMs);
    expect(await slow.turn("charge")).toMatchObject([{ status: "charging" }]);
    await expect.poll(() => provider.charges(id)).toHaveLength(1);
    slow.pass(pauseMs);
    expect(await slow.turn("charge")).toMatchObject([{ status: "refunding" }]);
    await slow.close();
  });

  it("gets its money back though the attempt that charged was given up for lost", async () => {
    await order.created(id);
    payment.during.charge = async (orderId) => {
      payment.during.charge = undefined;
      await order.cancelled(orderId);
      await payment.store.db
        .updateTable("payments")
        .set({ status: "cancelled", payment_token: null })
        .where("order_id", "=", orderId)
        .execute();
    };
    expect(await payment.turn("charge")).toMatchObject([{ status: "refunding" }]);
    payment.pass(1);
    await payment.turn("refund");
    expect(await status()).toBe("refunded");
  });

  it("whose charge is in doubt waits until the provider can be asked", async () => {
    await order.created(id);
    await provider.fault({ fail: 1 });
    await payment.turn("charge");
    await order.cancelled(id);
    payment.during.find = async () => ({ kind: "unknown", problem: "HTTP 500" });
    payment.pass(inFlightMs);
    expect(await payment.turn("charge")).toMatchObject([{ status: "charging" }]);
    payment.during.find = undefined;
    payment.pass(pauseMs);
    expect(await payment.turn("charge")).toMatchObject([{ status: "cancelled" }]);
  });

  it("counts the attempts at its refund from the first on", async () => {
    await order.created(id);
    await payment.turn("charge");
    await order.cancelled(id);
    expect(await payment.claim("refund")).toMatchObject([{ attempt: 1 }]);
  });

  it("that was charged gets its money back, once", async () => {
    await order.created(id);
    await payment.turn("charge");
    await order.cancelled(id);
    await order.cancelled(id);
    await payment.turn("refund");
    await payment.turn("refund");
    expect(await provider.refunds(id)).toHaveLength(1);
    expect(await payment.published(id)).toEqual(["PaymentCompleted", "PaymentRefunded"]);
  });

  it("is the only one that gives money back", async () => {
    await order.created(id);
    await payment.turn("charge");
    for (const to of [OrderStatus.CONFIRMED, OrderStatus.SHIPPED, OrderStatus.DELIVERED]) await order.changed(id, to);
    expect(await status()).toBe("completed");
  });
});

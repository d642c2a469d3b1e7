import { randomUUID } from "node:crypto";
import { PaymentStatus } from "@shop/contracts/payment";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { orderEvents, userIdOf } from "../testing/order-events.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { openPaymentService, type RunningPayment } from "../testing/running-payment.ts";

let provider: ProviderSimulator;
let payment: RunningPayment;
let order: ReturnType<typeof orderEvents>;
let orderId: string;

beforeAll(async () => {
  provider = await startProviderSimulator();
  payment = await openPaymentService({ providerUrl: provider.url });
  order = orderEvents(payment);
});
afterAll(async () => {
  await payment?.close();
  await provider?.stop();
});
beforeEach(() => {
  orderId = randomUUID();
});
afterEach(() => {
  payment.standings.clear();
  payment.during.charge = undefined;
});

describe("GetPayment", () => {
  it("answers a payment before and after it is charged", async () => {
    await order.created(orderId);
    const before = await payment.client.getPayment({ orderId });
    expect(before.payment).toMatchObject({
      orderId,
      userId: userIdOf(orderId),
      amount: { currencyCode: "USD", minorUnits: 1250n },
      status: PaymentStatus.PENDING,
      providerReference: "",
    });
    await payment.turn("charge");
    const after = await payment.client.getPayment({ orderId });
    const [charge] = await provider.charges(orderId);
    expect(after.payment).toMatchObject({ status: PaymentStatus.COMPLETED, providerReference: charge?.id });
  });

  it("says why a payment failed", async () => {
    await order.created(orderId, { token: "tok_declined" });
    await payment.turn("charge");
    const { payment: failed } = await payment.client.getPayment({ orderId });
    expect(failed).toMatchObject({ status: PaymentStatus.FAILED, failureReason: "card_declined" });
  });

  it("is NOT_FOUND for an order that nobody heard of", async () => {
    await expect(payment.client.getPayment({ orderId })).rejects.toThrow(/^\[not_found\] no payment is known/);
  });
});

describe("ProcessPayment", () => {
  it("charges now, and a repeat answers the same payment", async () => {
    await order.created(orderId);
    const first = await payment.client.processPayment({ orderId });
    expect(first.payment?.status).toBe(PaymentStatus.COMPLETED);
    expect(await payment.client.processPayment({ orderId })).toEqual(first);
    expect(await provider.charges(orderId)).toHaveLength(1);
  });

  it("charges once, however many ask at once while the worker is at it", async () => {
    await order.created(orderId, { token: "tok_slow" });
    await Promise.all([
      payment.turn("charge"),
      ...Array.from({ length: 8 }, () => payment.client.processPayment({ orderId })),
    ]);
    expect(await provider.charges(orderId)).toHaveLength(1);
    expect(await payment.published(orderId)).toEqual(["PaymentCompleted"]);
  });

  it("answers the payment as it is while somebody is at work on it, and asks the provider no second time", async () => {
    await order.created(orderId);
    let asked = 0;
    const end = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    payment.during.charge = () => {
      asked += 1;
      begun.resolve();
      return end.promise;
    };
    const turn = payment.turn("charge");
    await begun.promise;
    const { payment: pending } = await payment.client.processPayment({ orderId });
    expect(pending?.status).toBe(PaymentStatus.PENDING);
    end.resolve();
    await turn;
    expect(asked).toBe(1);
  });

  it("answers the payment as it is while the order can't be asked after", async () => {
    payment.standings.set(orderId, "unreachable");
    await order.created(orderId);
    const { payment: pending } = await payment.client.processPayment({ orderId });
    expect(pending?.status).toBe(PaymentStatus.PENDING);
    expect(await provider.charges(orderId)).toEqual([]);
  });

  it("never charges a cancelled order", async () => {
    await order.created(orderId);
    await order.cancelled(orderId);
    const { payment: cancelled } = await payment.client.processPayment({ orderId });
    expect(cancelled?.status).toBe(PaymentStatus.CANCELLED);
    expect(await provider.charges(orderId)).toEqual([]);
  });

  it("is NOT_FOUND until the order is known", async () => {
    await expect(payment.client.processPayment({ orderId })).rejects.toThrow(/^\[not_found\]/);
  });
});

describe("RefundPayment", () => {
  it("gives the charge back, and a repeat changes nothing", async () => {
    await order.created(orderId);
    await payment.turn("charge");
    const first = await payment.client.refundPayment({ orderId, reason: "wrong size" });
    expect(first.payment?.status).toBe(PaymentStatus.REFUNDED);
    expect(await payment.client.refundPayment({ orderId, reason: "again" })).toEqual(first);
    expect(await provider.refunds(orderId)).toMatchObject([{ amount_minor: 1250 }]);
    expect(await payment.published(orderId)).toEqual(["PaymentCompleted", "PaymentRefunded"]);
  });

  it("is the end of it when the order is cancelled for it", async () => {
    await order.created(orderId);
    await payment.turn("charge");
    const { payment: refunded } = await payment.client.refundPayment({ orderId, reason: "" });
    await order.cancelled(orderId);
    expect((await payment.client.getPayment({ orderId })).payment).toEqual(refunded);
    expect(await payment.turn("refund")).toEqual([]);
    expect(await payment.published(orderId)).toEqual(["PaymentCompleted", "PaymentRefunded"]);
  });

  it("owes the refund while the provider is away", async () => {
    await order.created(orderId);
    await payment.turn("charge");
    await provider.fault({ fail: 1 });
    const { payment: owed } = await payment.client.refundPayment({ orderId, reason: "" });
    expect(owed?.status).toBe(PaymentStatus.REFUNDING);
  });

  it("is FAILED_PRECONDITION when nothing was charged", async () => {
    await order.created(orderId);
    await expect(payment.client.refundPayment({ orderId })).rejects.toThrow(
      /^\[failed_precondition\] nothing was charged .* PENDING$/,
    );
    await order.cancelled(orderId);
    await expect(payment.client.refundPayment({ orderId })).rejects.toThrow(/CANCELLED$/);
  });

  it("is NOT_FOUND for an order that nobody heard of", async () => {
    await expect(payment.client.refundPayment({ orderId })).rejects.toThrow(/^\[not_found\]/);
  });
});

describe("bad input", () => {
  const methods = ["getPayment", "processPayment", "refundPayment"] as const;
  const ids = ["", "1", "not-a-uuid", "x".repeat(10_000), "00000000-0000-0000-0000-00000000000g"];

  it.each(methods.flatMap((method) => ids.map((id) => [method, id.slice(0, 20), id] as const)))(
    "%s refuses the order id %j, naming the field",
    async (method, _shown, id) => {
      await expect(payment.client[method]({ orderId: id })).rejects.toThrow(/^\[invalid_argument\].*order_id/);
    },
  );

  it.each([
    ["that is too long", "x".repeat(501)],
    ["with a NUL", "x\0"],
    ["of two lines", "wrong\nsize"],
  ])("refundPayment refuses a reason %s, naming the field", async (_what, reason) => {
    await expect(payment.client.refundPayment({ orderId, reason })).rejects.toThrow(/^\[invalid_argument\].*reason/);
  });
});

import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { PaymentService } from "@shop/contracts/payment";
import { describeProvider, loadExamples, type StateHandler } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orderEvents } from "../testing/order-events.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { openPaymentService, type RunningPayment } from "../testing/running-payment.ts";

let provider: ProviderSimulator;
let payment: RunningPayment;

beforeAll(async () => {
  provider = await startProviderSimulator();
  payment = await openPaymentService({ providerUrl: provider.url });
});
afterAll(async () => {
  await payment?.close();
  await provider?.stop();
});

const states: Record<string, StateHandler> = {
  async "no payments"() {
    await payment.empty();
  },

  /** Takes the payment through every state on its way to the one that the example wants. */
  async "a payment"({ user_id: userId = "", status = "", card = status === "FAILED" ? "declined" : "good" }) {
    await payment.empty();
    const order = orderEvents(payment);
    const orderId = randomUUID();
    await order.created(orderId, { userId, minorUnits: 2500n, token: card === "good" ? "tok_visa" : "tok_declined" });
    if (status === "CANCELLED") await order.cancelled(orderId);
    if (["COMPLETED", "FAILED", "REFUNDED"].includes(status)) await payment.turn("charge");
    if (status === "REFUNDED") await payment.client.refundPayment({ orderId, reason: "" });
    expect((await payment.payments.get(orderId))?.status).toBe(status.toLowerCase());
    return { order_id: orderId };
  },
};

const examples = resolve(import.meta.dirname, "../../../../proto/shop/payment/v1/payment_service.examples.yaml");

describeProvider({ describe, it }, loadExamples(PaymentService, examples), () => ({ client: payment.client, states }));

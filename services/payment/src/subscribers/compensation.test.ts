import { join } from "node:path";
import { OrderCreatedSchema } from "@shop/contracts/order";
import { PaymentCompletedSchema } from "@shop/contracts/payment";
import { silentLogger } from "@weft/telemetry";
import * as testkit from "@weft/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { attemptRefund } from "../app/attempt-refund.ts";
import type { Payments } from "../app/payments.ts";
import { createHttpPaymentProvider } from "../peers/http-payment-provider.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { leaseMs, openPaymentService, pauseMs, type RunningPayment } from "../testing/running-payment.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));
const { events } =
  histories.find(({ name }) => name === "cancelled-once-confirmed") ?? expect.unreachable("there is no such history");
const [orderId = ""] = events.flatMap((event) => testkit.recordedAs(OrderCreatedSchema, event)?.orderId ?? []);

let provider: ProviderSimulator;
let payment: RunningPayment;

beforeEach(async () => {
  provider = await startProviderSimulator();
  payment = await openPaymentService({ providerUrl: provider.url, timeoutMs: 200 });
});
afterEach(async () => {
  await payment?.close();
  await provider?.stop();
});

/** Charges an order and cancels it, through subscriptions that fail in that way first, if any. */
async function chargeAndCancel(failure: testkit.Failure = { name: "", times: 0, fail: async () => {} }): Promise<void> {
  const { store, subscriptions } = payment;
  const replay = testkit.startReplay({
    service: "payment",
    store,
    subscriptions: subscriptions.map((subscription) => testkit.failingAtFirst(subscription, failure)),
  });
  for (const event of events) {
    await replay.deliver(event);
    if (event.subject === PaymentCompletedSchema.typeName) await payment.turn("charge", orderId);
  }
  await replay.close();
}

async function refundedOnce(): Promise<void> {
  expect((await payment.payments.get(orderId))?.status).toBe("refunded");
  expect(await provider.charges(orderId)).toHaveLength(1);
  expect(await provider.refunds(orderId)).toHaveLength(1);
  expect(await payment.published(orderId)).toEqual(["PaymentCompleted", "PaymentRefunded"]);
  expect(await testkit.deadLetters(payment.store)).toEqual([]);
}

it.each(testkit.failures)("a cancelled order gets its money back, once, though $name", async (failure) => {
  await chargeAndCancel(failure);
  await payment.turn("refund");
  await refundedOnce();
});

it.each([
  ["is away (503)", "fail"],
  ["loses its answers", "lose"],
  ["never answers", "stall"],
])("a provider that %s for long refunds in the end, once", async (_, fault) => {
  await chargeAndCancel();
  await provider.fault({ [fault]: 6 });
  for (let turns = 0; turns < 6; turns++) {
    expect(await payment.turn("refund")).toMatchObject([{ status: "refunding" }]);
    payment.pass(pauseMs);
  }
  await payment.turn("refund");
  await refundedOnce();
});

it("a refund whose outcome could not be kept is asked for again, and made once", async () => {
  await chargeAndCancel();
  const away: Payments = { ...payment.payments, settle: () => Promise.reject(new Error("the database is away")) };
  const refund = attemptRefund({
    payments: away,
    provider: createHttpPaymentProvider({ url: provider.url, timeoutMs: 1_000 }),
    ...{ logger: silentLogger, now: () => new Date(), leaseMs, pauseMs: () => pauseMs },
  });
  for (const claim of await payment.claim("refund")) await expect(refund(claim)).rejects.toThrow("away");
  expect(await payment.turn("refund"), "nobody else is at it before the lease is over").toEqual([]);
  payment.pass(leaseMs);
  await payment.turn("refund");
  await refundedOnce();
});

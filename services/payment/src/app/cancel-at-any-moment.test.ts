import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { orderEvents } from "../testing/order-events.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { openPaymentService, pauseMs, type RunningPayment } from "../testing/running-payment.ts";

let provider: ProviderSimulator;
let payment: RunningPayment;
let order: ReturnType<typeof orderEvents>;

beforeAll(async () => {
  provider = await startProviderSimulator();
  payment = await openPaymentService({ providerUrl: provider.url, timeoutMs: 100 });
  order = orderEvents(payment);
});
afterEach(async () => {
  payment.during.request = payment.during.charge = undefined;
  payment.standings.clear();
  await provider.fault({ fail: 0, stall: 0, lose: 0 });
  await payment.empty();
});
afterAll(async () => {
  await payment?.close();
  await provider?.stop();
});

/** The order is cancelled at the order service now; its event comes when it comes. */
const cancelled = (id: string): void => void payment.standings.set(id, "cancelled");

/** A charge in one turn, with a cancellation somewhere around it. */
const moments: Readonly<Record<string, (id: string) => Promise<void>>> = {
  async "and its cancellation is heard of before its creation"(id) {
    cancelled(id);
    await order.cancelled(id);
    await order.created(id);
    await payment.turn("charge");
  },
  async "before the charge is begun"(id) {
    await order.created(id);
    cancelled(id);
    await order.cancelled(id);
    await payment.turn("charge");
  },
  async "before the charge is begun, and that is heard of after it"(id) {
    await order.created(id);
    cancelled(id);
    await payment.turn("charge");
    await order.cancelled(id);
  },
  async "when the order was found to be pending"(id) {
    await order.created(id);
    const [claim] = await payment.claim("charge");
    cancelled(id);
    await order.cancelled(id);
    if (claim) await payment.charge(claim);
  },
  async "when the charge is begun and not asked for"(id) {
    await order.created(id);
    payment.during.request = () => order.cancelled(id);
    await payment.turn("charge");
  },
  async "when the provider has charged and its answer is not kept"(id) {
    await order.created(id);
    payment.during.charge = () => order.cancelled(id);
    await payment.turn("charge");
  },
  async "when the attempt that began the charge has crashed before it asked"(id) {
    await order.created(id);
    payment.during.request = () => Promise.reject(new Error("crash"));
    await expect(payment.turn("charge")).rejects.toThrow("crash");
    await order.cancelled(id);
  },
  async "when the attempt that charged has crashed before it kept the answer"(id) {
    await order.created(id);
    payment.during.charge = () => Promise.reject(new Error("crash"));
    await expect(payment.turn("charge")).rejects.toThrow("crash");
    await order.cancelled(id);
  },
  async "after the charge, several times"(id) {
    await order.created(id);
    await payment.turn("charge");
    for (let times = 0; times < 3; times++) await order.cancelled(id);
  },
  async "after the charge, and again while it is refunded"(id) {
    await order.created(id);
    await payment.turn("charge");
    await order.cancelled(id);
    await payment.claim("refund");
    await order.cancelled(id);
  },
};

/** Lets the workers go on until nothing is left to do for the order. */
async function end(id: string): Promise<void> {
  payment.during.request = payment.during.charge = undefined;
  cancelled(id);
  for (let turns = 0; turns < 30; turns++) {
    payment.pass(pauseMs);
    for (const work of ["charge", "refund"] as const) await payment.turn(work);
  }
}

const providers = [
  { does: "answers", faults: {} },
  { does: "turns the first request away", faults: { fail: 1 } },
  { does: "never answers the first request", faults: { stall: 1 } },
  { does: "loses its first answer", faults: { lose: 1 } },
];

describe.each(providers)("with a provider that $does, an order that is cancelled", ({ faults }) => {
  it.each(Object.keys(moments))("%s ends with nothing kept of its money", async (moment) => {
    const id = randomUUID();
    await provider.fault(faults);
    await moments[moment]?.(id);
    await end(id);
    const [charges, refunds] = await Promise.all([provider.charges(id), provider.refunds(id)]);
    expect(refunds).toHaveLength(charges.length);
    expect(charges.length).toBeLessThanOrEqual(1);
    expect((await payment.payments.get(id))?.status).toBe(charges.length > 0 ? "refunded" : "cancelled");
    expect((await payment.published(id)).filter((event) => event === "PaymentRefunded")).toHaveLength(refunds.length);
  });
});

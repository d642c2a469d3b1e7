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

/** What happens up to the cancellation, in a turn of the worker or around it. */
interface Moment {
  /** Whether the provider may have been asked for a charge by then. */
  readonly asked: boolean;
  readonly reach: (id: string) => Promise<void>;
}

const moments: Readonly<Record<string, Moment>> = {
  "and its cancellation is heard of before its creation": {
    asked: false,
    async reach(id) {
      cancelled(id);
      await order.cancelled(id);
      await order.created(id);
      await payment.turn("charge");
    },
  },
  "before the charge is begun": {
    asked: false,
    async reach(id) {
      await order.created(id);
      cancelled(id);
      await order.cancelled(id);
      await payment.turn("charge");
    },
  },
  "before the charge is begun, and that is heard of after it": {
    asked: false,
    async reach(id) {
      await order.created(id);
      cancelled(id);
      await payment.turn("charge");
      await order.cancelled(id);
    },
  },
  "when the order was found to be pending": {
    asked: false,
    async reach(id) {
      await order.created(id);
      const [claim] = await payment.claim("charge");
      await order.cancelled(id);
      if (claim) await payment.charge(claim);
    },
  },
  "when the charge is begun and not asked for": {
    asked: true,
    async reach(id) {
      await order.created(id);
      payment.during.request = () => order.cancelled(id);
      await payment.turn("charge");
    },
  },
  "when the provider has charged and its answer is not kept": {
    asked: true,
    async reach(id) {
      await order.created(id);
      payment.during.charge = () => order.cancelled(id);
      await payment.turn("charge");
    },
  },
  "when the attempt that began the charge has crashed before it asked": {
    asked: false,
    async reach(id) {
      await order.created(id);
      payment.during.request = () => Promise.reject(new Error("crash"));
      await expect(payment.turn("charge")).rejects.toThrow("crash");
      await order.cancelled(id);
    },
  },
  "when the attempt that charged has crashed before it kept the answer": {
    asked: true,
    async reach(id) {
      await order.created(id);
      payment.during.charge = () => Promise.reject(new Error("crash"));
      await expect(payment.turn("charge")).rejects.toThrow("crash");
      await order.cancelled(id);
    },
  },
  "after the charge, several times": {
    asked: true,
    async reach(id) {
      await order.created(id);
      await payment.turn("charge");
      for (let times = 0; times < 3; times++) await order.cancelled(id);
    },
  },
  "after the charge, and again while it is refunded": {
    asked: true,
    async reach(id) {
      await order.created(id);
      await payment.turn("charge");
      await order.cancelled(id);
      await payment.claim("refund");
      await order.cancelled(id);
    },
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
  it.each(Object.entries(moments))("%s ends with nothing kept of its money", async (_, { asked, reach }) => {
    const id = randomUUID();
    await provider.fault(faults);
    await reach(id);
    await end(id);
    const [charges, refunds] = await Promise.all([provider.charges(id), provider.refunds(id)]);
    expect(refunds).toHaveLength(charges.length);
    expect(charges.length).toBeLessThanOrEqual(asked ? 1 : 0);
    expect((await payment.payments.get(id))?.status).toBe(charges.length > 0 ? "refunded" : "cancelled");
    expect((await payment.published(id)).filter((event) => event === "PaymentRefunded")).toHaveLength(refunds.length);
  });
});

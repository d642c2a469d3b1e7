import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { orderEvents } from "../testing/order-events.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { inFlightMs, openPaymentService, pauseMs, type RunningPayment, watchMs } from "../testing/running-payment.ts";

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
  payment.during.find = undefined;
  await provider.fault({ stall: 0 });
  await payment.empty();
});

const status = async (): Promise<string | undefined> => (await payment.payments.get(id))?.status;

/** The order was cancelled when its request to charge had left, and the provider has not heard of it. */
async function believedUncharged(): Promise<void> {
  await order.created(id);
  await provider.fault({ stall: 1 });
  await payment.turn("charge");
  await order.cancelled(id);
  payment.pass(inFlightMs);
  expect(await payment.turn("charge")).toMatchObject([{ status: "cancelled" }]);
}

/** The request arrives after all. */
async function chargeLate(): Promise<void> {
  const body = JSON.stringify({ amount_minor: 1250, currency: "USD", token: "tok_visa", order_id: id });
  const headers = { "content-type": "application/json", "idempotency-key": id };
  const { status } = await fetch(`${provider.url}/charges`, { method: "POST", headers, body });
  expect(status).toBe(201);
}

describe("a charge that was believed not to be, of a cancelled order", () => {
  it("is looked for at the provider: one that turns up long after goes back", async () => {
    await believedUncharged();
    expect(await payment.turn("watch"), "not before the pause is over").toEqual([]);
    payment.pass(pauseMs);
    expect(await payment.turn("watch")).toMatchObject([{ status: "cancelled" }]);

    await chargeLate();
    payment.pass(pauseMs);
    expect(await payment.turn("watch")).toMatchObject([{ status: "refunding" }]);
    await payment.turn("refund");
    expect(await status()).toBe("refunded");
    expect(await provider.refunds(id)).toMatchObject([{ amount_minor: 1250 }]);
    expect(await payment.published(id)).toEqual(["PaymentRefunded"]);
  });

  it("is looked for at the provider until nothing can turn up, and no longer", async () => {
    await believedUncharged();
    payment.pass(watchMs);
    payment.during.find = async () => ({ kind: "unknown", problem: "HTTP 500" });
    expect(await payment.turn("watch")).toHaveLength(1);
    payment.during.find = undefined;
    payment.pass(pauseMs);
    expect(await payment.turn("watch")).toMatchObject([{ status: "cancelled", watchedUntil: undefined }]);
    payment.pass(watchMs);
    expect(await payment.turn("watch")).toEqual([]);
  });

  it("goes back though the former version found it, which knows nothing of the watch", async () => {
    await believedUncharged();
    await chargeLate();
    const [charge] = await provider.charges(id);
    await sql`
      UPDATE payments SET status = 'refunding', provider_reference = ${charge?.id}, reason = 'the order was cancelled'
      WHERE order_id = ${id}`.execute(payment.store.db);
    payment.pass(pauseMs);
    expect(await payment.turn("watch")).toEqual([]);
    expect(await payment.turn("refund")).toMatchObject([{ status: "refunded" }]);
    expect(await provider.refunds(id)).toHaveLength(1);
  });
});

import { randomUUID } from "node:crypto";
import { OrderCreatedSchema } from "@shop/contracts/order";
import { Unprocessable } from "@weft/events";
import { type Logger, silentLogger } from "@weft/telemetry";
import { deliver } from "@weft/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { orderEvents } from "../testing/order-events.ts";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { leaseMs, openPaymentService, pauseMs, type RunningPayment } from "../testing/running-payment.ts";

let provider: ProviderSimulator;
let payment: RunningPayment;
let order: ReturnType<typeof orderEvents>;
let id: string;
const errors: object[] = [];

beforeAll(async () => {
  provider = await startProviderSimulator();
  const logger: Logger = { ...silentLogger, error: (fields) => void errors.push(fields) };
  payment = await openPaymentService({ providerUrl: provider.url, timeoutMs: 500, logger });
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
  payment.during.charge = undefined;
  payment.standings.clear();
  await provider.fault({ fail: 0, stall: 0, lose: 0 });
  errors.length = 0;
  await payment.empty();
});

const status = async (): Promise<string | undefined> => (await payment.payments.get(id))?.status;

describe("an order that was placed", () => {
  it("is charged once, by the amount of its event", async () => {
    await order.created(id);
    await payment.turn("charge");
    await payment.turn("charge");
    const charges = await provider.charges(id);
    expect(charges).toMatchObject([{ amount_minor: 1250 }]);
    expect(await payment.payments.get(id)).toMatchObject({ status: "completed", reference: charges[0]?.id });
    expect(await payment.published(id)).toEqual(["PaymentCompleted"]);
  });

  it("is charged once though its event comes twice", async () => {
    await order.created(id);
    await payment.turn("charge");
    await order.created(id);
    await payment.turn("charge");
    expect(await provider.charges(id)).toHaveLength(1);
  });

  it("fails with the provider's reason when the card is declined", async () => {
    await order.created(id, { token: "tok_declined" });
    await payment.turn("charge");
    expect(await payment.payments.get(id)).toMatchObject({ status: "failed", reason: "card_declined" });
    expect(await payment.published(id)).toEqual(["PaymentFailed"]);
  });

  it("whose event has no total is a dead letter, and not charged", async () => {
    const event = { orderId: id, userId: id, paymentToken: "tok_visa" };
    await expect(deliver(payment, OrderCreatedSchema, event)).rejects.toThrow(Unprocessable);
  });

  it("whose token can't be kept is a dead letter at once", async () => {
    await expect(order.created(id, { token: "tok_\0visa" })).rejects.toThrow(Unprocessable);
    expect(await status()).toBeUndefined();
  });

  it("leaves no token behind once it is settled", async () => {
    await order.created(id, { token: "tok_secret" });
    await payment.turn("charge");
    const rows = await payment.store.db.selectFrom("payments").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain("tok_secret");
  });
});

describe("the order service's word", () => {
  it("stops the charge of an order that was cancelled before its events were consumed", async () => {
    payment.standings.set(id, "cancelled");
    await order.created(id);
    await payment.turn("charge");
    expect(await status()).toBe("cancelled");
    await order.cancelled(id);
    payment.pass(leaseMs);
    await payment.turn("charge");
    expect(await provider.charges(id)).toEqual([]);
    expect(await payment.published(id)).toEqual([]);
  });

  it.each(["unreachable", "other"] as const)(
    "is waited for while it is %s, and nothing is charged",
    async (standing) => {
      payment.standings.set(id, standing);
      await order.created(id);
      expect(await payment.turn("charge")).toMatchObject([{ status: "pending" }]);
      expect(await payment.turn("charge"), "not before the pause is over").toEqual([]);
      payment.pass(pauseMs);
      await payment.turn("charge");
      expect(await provider.charges(id)).toEqual([]);
      payment.standings.delete(id);
      payment.pass(pauseMs);
      await payment.turn("charge");
      expect(await status()).toBe("completed");
    },
  );
});

describe("what goes wrong on the way", () => {
  it("a crash after the provider's answer repeats the charge under the same key: it is charged once", async () => {
    await order.created(id);
    payment.during.charge = () => Promise.reject(new Error("crash"));
    await expect(payment.turn("charge")).rejects.toThrow("crash");
    expect(await payment.turn("charge"), "nobody else is at it before the lease is over").toEqual([]);
    payment.during.charge = undefined;
    payment.pass(leaseMs);
    expect(await payment.turn("charge")).toMatchObject([{ status: "completed" }]);
    expect(await provider.charges(id)).toHaveLength(1);
    expect(await payment.published(id)).toEqual(["PaymentCompleted"]);
  });

  it("a crash during a charge whose order is cancelled meanwhile gives the money back", async () => {
    await order.created(id);
    payment.during.charge = () => Promise.reject(new Error("crash"));
    await expect(payment.turn("charge")).rejects.toThrow("crash");
    payment.during.charge = undefined;
    payment.standings.set(id, "cancelled");
    payment.pass(leaseMs);
    await payment.turn("charge");
    await payment.turn("refund");
    expect(await status()).toBe("refunded");
    expect(await provider.charges(id)).toHaveLength(1);
    expect(await provider.refunds(id)).toHaveLength(1);
  });

  it.each(["lose", "fail", "stall"])(
    "a provider that %ss a request is asked again, and charges once",
    async (fault) => {
      await order.created(id);
      await provider.fault({ [fault]: 1 });
      expect(await payment.turn("charge")).toMatchObject([{ status: "charging", inDoubt: true }]);
      payment.pass(pauseMs);
      await payment.turn("charge");
      expect(await status()).toBe("completed");
      expect(await provider.charges(id)).toHaveLength(1);
    },
  );

  it("a key that the provider knows with another request is final, and somebody is told", async () => {
    const body = JSON.stringify({ amount_minor: 1, currency: "USD", token: "tok_visa", order_id: randomUUID() });
    await fetch(`${provider.url}/charges`, { method: "POST", headers: { "idempotency-key": id }, body });
    await order.created(id);
    expect(await payment.turn("charge")).toMatchObject([{ status: "failed", reason: "idempotency_key_reused" }]);
    expect(errors).toEqual([{ orderId: id, status: "failed", attempt: 1, reason: "idempotency_key_reused" }]);
    expect(await payment.published(id)).toEqual(["PaymentFailed"]);
  });

  it("a refund is tried until the provider has made it", async () => {
    await order.created(id);
    await payment.turn("charge");
    await order.cancelled(id);
    await provider.fault({ lose: 1 });
    await payment.turn("refund");
    expect(await status()).toBe("refunding");
    await provider.fault({ lose: 0, fail: 1 });
    payment.pass(pauseMs);
    await payment.turn("refund");
    payment.pass(pauseMs);
    await payment.turn("refund");
    expect(await status()).toBe("refunded");
    expect(await provider.refunds(id)).toHaveLength(1);
  });

  it("workers that look at the same time never take the same payment", async () => {
    const ids = Array.from({ length: 40 }, () => randomUUID());
    await Promise.all(ids.map((each) => order.created(each)));
    payment.pass(1);
    const claims = await Promise.all(Array.from({ length: 8 }, () => payment.claim("charge", 5)));
    const taken = claims.flat().map(({ payment }) => payment.orderId);
    expect(taken).toHaveLength(new Set(taken).size);
    const rest = await payment.claim("charge", 40);
    expect(new Set([...taken, ...rest.map(({ payment }) => payment.orderId)])).toEqual(new Set(ids));
  });

  it("an attempt whose claim ran out still keeps what the provider said", async () => {
    await order.created(id);
    payment.during.charge = async () => {
      payment.during.charge = undefined;
      payment.pass(leaseMs);
      await payment.turn("charge");
    };
    await payment.turn("charge");
    expect(await status()).toBe("completed");
    expect(await provider.charges(id)).toHaveLength(1);
    expect(await payment.published(id)).toEqual(["PaymentCompleted"]);
  });
});

import { randomUUID } from "node:crypto";
import { createLargeDatabase, type LargeDatabase } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPayment, type Payment } from "../domain/payment.ts";
import { createPaymentRepository } from "./payment-repository.ts";
import { migrations, type PaymentDatabase } from "./schema.ts";

/** Most are completed; one of a hundred is to be charged, another one to be refunded, another one is watched. */
const payments = `
  INSERT INTO payments (order_id, user_id, status, currency_code, minor_units, payment_token, provider_reference, reason,
    due_at, watched_until, correlation_id, trace, created_at, updated_at)
  SELECT gen_random_uuid(), gen_random_uuid(), status, 'USD', 1250,
    CASE WHEN status = 'pending' THEN 'tok_visa' END,
    CASE WHEN status IN ('completed', 'refunding') THEN 'ch_' || n END,
    CASE WHEN status = 'refunding' THEN 'the order was cancelled' END,
    at, CASE WHEN status = 'cancelled' THEN at + interval '1 day' END, 'explain', '{}', at, at
  FROM (
    SELECT n, timestamptz '2026-01-01' + n * interval '1 minute' AS at,
      CASE n % 100 WHEN 0 THEN 'pending' WHEN 1 THEN 'refunding' WHEN 2 THEN 'cancelled' ELSE 'completed' END AS status
    FROM generate_series(1, 100000) AS n
  ) AS drawn`;

let database: LargeDatabase<PaymentDatabase>;
beforeAll(async () => {
  database = await createLargeDatabase("payment", migrations, payments);
});
afterAll(() => database?.drop());

describe("among 100,000 payments", () => {
  it("each statement of the store finds its rows by an index", async () => {
    const payments = createPaymentRepository({ store: database.store, newLease: randomUUID });
    const now = new Date("2026-04-01T00:00:00Z");
    const order = { orderId: randomUUID(), userId: randomUUID(), token: "tok_visa" };
    const amount = { currencyCode: "USD", minorUnits: 1250n };
    await payments.add(openPayment({ ...order, amount }, now));
    await payments.get(order.orderId);
    await payments.change(order.orderId, (payment): Payment => ({ ...payment, updatedAt: now }));
    const claim = await payments.claimOne("charge", order.orderId, 1_000, now);
    if (!claim) return expect.unreachable("nobody else is at work on it");
    await payments.proceed(claim, (payment) => payment, 1_000, now);
    await payments.settle(claim, (payment): Payment => ({ ...payment, updatedAt: now }), now);
    expect(await payments.claimDue("charge", 10, 1_000, now)).toHaveLength(10);
    expect(await payments.claimDue("refund", 10, 1_000, now)).toHaveLength(10);
    expect(await payments.claimDue("watch", 10, 1_000, now)).toHaveLength(10);
    expect(await database.sequentialScans()).toEqual([]);
  });
});

import { randomUUID } from "node:crypto";
import { createPaymentClient, PaymentCompleted, PaymentFailed, PaymentRefunded } from "@shop/contracts/payment";
import { startServer } from "@weft/service";
import { type Logger, silentLogger } from "@weft/telemetry";
import { createTestDatabase, meshTo, published } from "@weft/testkit";
import { attemptCharge } from "../app/attempt-charge.ts";
import { attemptRefund } from "../app/attempt-refund.ts";
import { cancelOrderPayment } from "../app/cancel-payment.ts";
import { getPayment } from "../app/get-payment.ts";
import { openOrderPayment } from "../app/open-payment.ts";
import type { OrderStanding, Orders } from "../app/orders.ts";
import type { PaymentProvider } from "../app/payment-provider.ts";
import type { Work } from "../app/payments.ts";
import { processPayment } from "../app/process-payment.ts";
import { refundPayment } from "../app/refund-payment.ts";
import { watchCharge } from "../app/watch-charge.ts";
import { createHttpPaymentProvider } from "../peers/http-payment-provider.ts";
import { servePayments } from "../rpc/payment-service.ts";
import { createPaymentRepository } from "../store/payment-repository.ts";
import { migrations, type PaymentDatabase } from "../store/schema.ts";
import { onOrderCreated } from "../subscribers/order-created.ts";
import { onOrderStatusChanged } from "../subscribers/order-status-changed.ts";

export interface RunningPaymentOptions {
  readonly providerUrl: string;
  /** Longest wait for the provider, in milliseconds; default 2,000. */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
}

interface During {
  /** Runs after a charge was begun and before the provider is asked. */
  request: ((orderId: string) => Promise<void>) | undefined;
  /** Runs after the provider answered a charge and before the answer is kept. */
  charge: ((orderId: string) => Promise<void>) | undefined;
  /** Answers in the provider's stead what it has of an order. */
  find: ((orderId: string) => ReturnType<PaymentProvider["find"]>) | undefined;
}

export type RunningPayment = Awaited<ReturnType<typeof openPaymentService>>;

export const leaseMs = 8_000;
export const pauseMs = 1_000;
export const inFlightMs = 5_000;
export const watchMs = 60_000;

/** The service as main.ts wires it, over the network, but for its workers: a test says when they take their turn. */
export async function openPaymentService({
  providerUrl,
  timeoutMs = 2_000,
  logger = silentLogger,
}: RunningPaymentOptions) {
  const database = await createTestDatabase<PaymentDatabase>("payment", migrations);
  const { store } = database;

  const clock = { now: new Date() };
  const now = (): Date => clock.now;
  const standings = new Map<string, OrderStanding | "unreachable">();
  const orders: Orders = {
    async standing(orderId) {
      const standing = standings.get(orderId) ?? "pending";
      if (standing === "unreachable") throw new Error("the order service can't be reached");
      return standing;
    },
  };
  const http = createHttpPaymentProvider({ url: providerUrl, timeoutMs });
  const during: During = { request: undefined, charge: undefined, find: undefined };
  const provider: PaymentProvider = {
    ...http,
    async charge(charge, signal) {
      await during.request?.(charge.orderId);
      const outcome = await http.charge(charge, signal);
      await during.charge?.(charge.orderId);
      return outcome;
    },
    find: (orderId, signal) => during.find?.(orderId) ?? http.find(orderId, signal),
  };

  const payments = createPaymentRepository({ store, newLease: randomUUID });
  const timing = { now, leaseMs, inFlightMs, watchMs, pauseMs: () => pauseMs, watchPauseMs: () => pauseMs };
  const wake = (): void => {};
  const parts = { payments, orders, provider, logger, wakeRefunds: wake, ...timing };
  const attempts: Readonly<Record<Work, ReturnType<typeof attemptCharge>>> = {
    charge: attemptCharge(parts),
    refund: attemptRefund(parts),
    watch: watchCharge(parts),
  };
  const { charge, refund } = attempts;
  const useCases = {
    get: getPayment(payments),
    process: processPayment({ payments, ...timing }, charge),
    refund: refundPayment({ payments, ...timing }, refund),
  };
  const server = await startServer({ services: [servePayments(useCases)], host: "127.0.0.1", port: 0, logger });
  const mesh = meshTo(server);

  const claim = (work: Work, limit = 100) => payments.claimDue(work, limit, leaseMs, now());
  return {
    client: createPaymentClient(mesh),
    store,
    payments,
    subscriptions: [
      onOrderCreated(openOrderPayment(payments, now, wake)),
      onOrderStatusChanged(cancelOrderPayment(payments, now, wake)),
    ],
    /** What the order service says; pending unless set. */
    standings,
    during,
    claim,
    charge,
    /** One turn of the worker, or what it does of one order; the payments that it was at. */
    async turn(work: Work, orderId?: string) {
      if (orderId === undefined) return Promise.all((await claim(work)).map(attempts[work]));
      const one = await payments.claimOne(work, orderId, leaseMs, now());
      return one ? [await attempts[work](one)] : [];
    },
    pass(ms: number) {
      clock.now = new Date(clock.now.getTime() + ms);
    },
    /** The events that were published about an order, oldest first, by their short names. */
    async published(orderId: string): Promise<readonly string[]> {
      const events = await published(store, [PaymentCompleted, PaymentFailed, PaymentRefunded], orderId);
      return events.map(({ subject }) => subject.replace(/^.*\./, ""));
    },
    empty: database.empty,
    async close() {
      await mesh.close();
      await server.close(0);
      await database.drop();
    },
  };
}

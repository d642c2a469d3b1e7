import { randomUUID } from "node:crypto";
import { createOrderClient } from "@shop/contracts/order";
import { runService } from "@weft/service";
import { backoffMs, onCommit, startWorker } from "@weft/store";
import { attemptCharge } from "./app/attempt-charge.ts";
import { attemptRefund } from "./app/attempt-refund.ts";
import { cancelOrderPayment } from "./app/cancel-payment.ts";
import { getPayment } from "./app/get-payment.ts";
import { createLanes } from "./app/lanes.ts";
import { openOrderPayment } from "./app/open-payment.ts";
import type { Work } from "./app/payments.ts";
import { processPayment } from "./app/process-payment.ts";
import { refundPayment } from "./app/refund-payment.ts";
import { createHttpPaymentProvider } from "./peers/http-payment-provider.ts";
import { createOrders } from "./peers/orders.ts";
import { servePayments } from "./rpc/payment-service.ts";
import { settings } from "./settings.ts";
import { createPaymentRepository } from "./store/payment-repository.ts";
import { migrations, type PaymentDatabase } from "./store/schema.ts";
import { onOrderCreated } from "./subscribers/order-created.ts";
import { onOrderStatusChanged } from "./subscribers/order-status-changed.ts";

await runService<PaymentDatabase, typeof settings>({
  name: "payment",
  settings,
  migrations,
  setup({ store, mesh, settings, logger, onClose }) {
    const payments = createPaymentRepository({ store, newLease: randomUUID });
    const orders = createOrders(createOrderClient(mesh));
    const provider = createHttpPaymentProvider({ url: settings.PAYMENT_PROVIDER_URL, timeoutMs: 5_000 });
    const now = () => new Date();
    // A lease outlives each step of an attempt: the order service's deadline is 3 s, the provider's 5 s.
    const timing = { now, leaseMs: 8_000, pauseMs: (n: number) => backoffMs(n, { baseMs: 200, maxMs: 30_000 }) };
    const wakeRefunds = () => onCommit(() => refunds.wake());
    const charge = attemptCharge({ payments, orders, provider, logger, wakeRefunds, ...timing });
    const refund = attemptRefund({ payments, provider, logger, ...timing });

    const work = (name: Work, attempt: typeof charge) => {
      const claim = (limit: number) => payments.claimDue(name, limit, timing.leaseMs, now());
      const lanes = createLanes(8, claim, attempt, logger);
      const worker = startWorker({ name, poll: lanes.poll, intervalMs: 200, logger });
      onClose(`${name} worker`, () => worker.close().then(lanes.drained));
      return worker;
    };
    const charges = work("charge", charge);
    const refunds = work("refund", refund);

    return {
      services: [
        servePayments({
          get: getPayment(payments),
          process: processPayment({ payments, ...timing }, charge),
          refund: refundPayment({ payments, ...timing }, refund),
        }),
      ],
      subscriptions: [
        onOrderCreated(openOrderPayment(payments, now, () => onCommit(() => charges.wake()))),
        onOrderStatusChanged(cancelOrderPayment(payments, now, wakeRefunds)),
      ],
    };
  },
});

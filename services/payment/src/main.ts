import { randomUUID } from "node:crypto";
import { createOrderClient } from "@shop/contracts/order";
import { runService } from "@weft/service";
import { createLanes, onCommit } from "@weft/store";
import { attemptCharge } from "./app/attempt-charge.ts";
import { attemptRefund } from "./app/attempt-refund.ts";
import { cancelOrderPayment } from "./app/cancel-payment.ts";
import { getPayment } from "./app/get-payment.ts";
import { openOrderPayment } from "./app/open-payment.ts";
import type { Work } from "./app/payments.ts";
import { processPayment } from "./app/process-payment.ts";
import { refundPayment } from "./app/refund-payment.ts";
import { watchCharge } from "./app/watch-charge.ts";
import { createHttpPaymentProvider } from "./peers/http-payment-provider.ts";
import { createOrders } from "./peers/orders.ts";
import { servePayments } from "./rpc/payment-service.ts";
import { settings } from "./settings.ts";
import { createPaymentRepository } from "./store/payment-repository.ts";
import { migrations, type PaymentDatabase } from "./store/schema.ts";
import { onOrderCreated } from "./subscribers/order-created.ts";
import { onOrderStatusChanged } from "./subscribers/order-status-changed.ts";
import { timing } from "./timing.ts";

await runService<PaymentDatabase, typeof settings>({
  name: "payment",
  settings,
  migrations,
  setup({ store, mesh, settings, logger, startWorker }) {
    const [payments, now] = [createPaymentRepository({ store, newLease: randomUUID }), () => new Date()];
    const parts = {
      ...{ payments, logger, now, ...timing },
      orders: createOrders(createOrderClient(mesh)),
      provider: createHttpPaymentProvider({ url: settings.PAYMENT_PROVIDER_URL, timeoutMs: 5_000 }),
      wakeRefunds: () => onCommit(() => refunds.wake()),
    };
    const [charge, refund] = [attemptCharge(parts), attemptRefund(parts)];
    const work = (name: Work, attempt: typeof charge, intervalMs = 200) => {
      const lanes = createLanes(8, (limit) => payments.claimDue(name, limit, timing.leaseMs, now()), attempt, logger);
      return startWorker({ name, ...lanes, intervalMs });
    };
    const [charges, refunds] = [work("charge", charge), work("refund", refund)];
    work("watch", watchCharge(parts), 5_000);
    return {
      services: [
        servePayments({
          get: getPayment(payments),
          process: processPayment(parts, charge),
          refund: refundPayment(parts, refund),
        }),
      ],
      subscriptions: [
        onOrderCreated(openOrderPayment(payments, now, () => onCommit(() => charges.wake()))),
        onOrderStatusChanged(cancelOrderPayment(payments, now, parts.wakeRefunds)),
      ],
    };
  },
});

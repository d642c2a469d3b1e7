import { randomUUID } from "node:crypto";
import { runService } from "@weft/service";
import { backoffMs } from "@weft/store";
import { fireTimers } from "./app/fire-timers.ts";
import { createInventoryWarehouse } from "./peers/inventory-warehouse.ts";
import { createUserCustomers } from "./peers/user-customers.ts";
import { serveOrders } from "./rpc/order-service.ts";
import { settings } from "./settings.ts";
import { openOrderFeed } from "./store/order-feed.ts";
import { createOrderRepository } from "./store/order-repository.ts";
import { migrations, type OrderDatabase } from "./store/schema.ts";
import { createTimerRepository } from "./store/timer-repository.ts";
import { onPaymentCompleted } from "./subscribers/payment-completed.ts";
import { onPaymentFailed } from "./subscribers/payment-failed.ts";
import { onPaymentRefunded } from "./subscribers/payment-refunded.ts";
import { onStockReleased } from "./subscribers/stock-released.ts";

await runService<OrderDatabase, typeof settings>({
  name: "order",
  settings,
  migrations,
  async setup({ store, mesh, settings, logger, onClose, startWorker }) {
    const now = (): Date => new Date();
    const orders = createOrderRepository(store);
    const feed = await openOrderFeed({ store, logger });
    onClose("order feed", () => feed.close());
    const service = serveOrders({
      orders,
      customers: createUserCustomers(mesh),
      warehouse: createInventoryWarehouse(mesh),
      feed,
      newKey: randomUUID,
      now,
      paymentTimeoutMs: settings.PAYMENT_TIMEOUT_MS,
    });
    const parts = { orders, now };
    const pauseMs = (attempt: number) => backoffMs(attempt, { baseMs: 1_000, maxMs: 600_000 });
    const poll = fireTimers({ timers: createTimerRepository(store), orders, logger, now, pauseMs });
    startWorker({ name: "order timers", poll, intervalMs: 1_000 });
    return {
      services: [service],
      subscriptions: [
        onPaymentCompleted(parts),
        onPaymentFailed(parts),
        onPaymentRefunded(parts),
        onStockReleased(parts),
      ],
    };
  },
});

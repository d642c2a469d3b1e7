import { runService } from "@weft/service";
import { backoffMs } from "@weft/store";
import { expireReservations } from "./app/expire-reservations.ts";
import { serveInventory } from "./rpc/inventory-service.ts";
import { settings } from "./settings.ts";
import { createProductRepository } from "./store/product-repository.ts";
import { createReservationRepository } from "./store/reservation-repository.ts";
import { type InventoryDatabase, migrations } from "./store/schema.ts";
import { onOrderCreated } from "./subscribers/order-created.ts";
import { onOrderStatusChanged } from "./subscribers/order-status-changed.ts";

await runService<InventoryDatabase, typeof settings>({
  name: "inventory",
  settings,
  migrations,
  setup({ store, settings, logger, startWorker }) {
    const products = createProductRepository(store);
    const reservations = createReservationRepository(store);
    const now = () => new Date();
    const pauseMs = (attempt: number) => backoffMs(attempt, { baseMs: 1_000, maxMs: 600_000 });
    const poll = expireReservations({ reservations, logger, now, pauseMs });
    startWorker({ name: "expiry", poll, intervalMs: 500 });
    return {
      services: [serveInventory({ products, reservations, now, reservationTtlMs: settings.RESERVATION_TTL_MS })],
      subscriptions: [
        onOrderCreated({ reservations, now, logger }),
        onOrderStatusChanged({ reservations, now, logger }),
      ],
    };
  },
});

import { createInventoryClient } from "@shop/contracts/inventory";
import { startServer } from "@weft/service";
import { createCommandStore } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import { meshTo } from "@weft/testkit";
import { expireReservations } from "../app/expire-reservations.ts";
import { serveInventory } from "../rpc/inventory-service.ts";
import { createProductRepository } from "../store/product-repository.ts";
import { createReservationRepository } from "../store/reservation-repository.ts";
import type { TestDatabase } from "./database.ts";

export interface RunningInventory {
  /** A caller with the contract's policies. */
  readonly client: ReturnType<typeof createInventoryClient>;
  /** Time stands still until it is set. */
  readonly clock: { now: Date };
  /** Does what the worker does at each poll. */
  sweep(signal?: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

export interface InventoryOptions {
  readonly database: TestDatabase;
  readonly logger?: Logger;
  readonly reservationTtlMs?: number;
}

/** Until a reservation that could not be freed is tried again. */
export const pauseMs = 5_000;

/** The service as main.ts wires it, over the network, without broker and registry. */
export async function openInventory(options: InventoryOptions): Promise<RunningInventory> {
  const { database, logger = silentLogger, reservationTtlMs = 60_000 } = options;
  const { store } = database;
  const clock = { now: new Date("2026-05-01T10:00:00Z") };
  const now = (): Date => clock.now;
  const reservations = createReservationRepository(store);
  const products = createProductRepository(store);
  const server = await startServer({
    services: [serveInventory({ products, reservations, now, reservationTtlMs })],
    host: "127.0.0.1",
    port: 0,
    logger,
    commands: createCommandStore(store),
  });
  const mesh = meshTo(server);
  const sweep = expireReservations({ reservations, logger, now, pauseMs: () => pauseMs });
  return {
    client: createInventoryClient(mesh),
    clock,
    sweep: (signal = new AbortController().signal) => sweep(signal),
    async close() {
      await mesh.close();
      await server.close(1_000);
    },
  };
}

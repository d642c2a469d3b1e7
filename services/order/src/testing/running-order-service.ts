import { randomUUID } from "node:crypto";
import { createOrderClient } from "@shop/contracts/order";
import { type Mesh, type Server, startServer } from "@weft/service";
import { createCommandStore } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import { type Address, meshTo } from "@weft/testkit";
import { fireTimers } from "../app/fire-timers.ts";
import type { Orders } from "../app/orders.ts";
import { createInventoryWarehouse } from "../peers/inventory-warehouse.ts";
import { createUserCustomers } from "../peers/user-customers.ts";
import { serveOrders } from "../rpc/order-service.ts";
import { openOrderFeed } from "../store/order-feed.ts";
import { createOrderRepository } from "../store/order-repository.ts";
import { createTimerRepository } from "../store/timer-repository.ts";
import type { TestDatabase } from "./database.ts";

export interface RunningOrderService {
  readonly address: Address;
  /** A caller with the contract's policies. */
  readonly client: ReturnType<typeof createOrderClient>;
  readonly orders: Orders;
  /** Time stands still until it is set. */
  readonly clock: { now: Date };
  /** Does what the worker of the timers does at each poll. */
  fireTimers(): Promise<number>;
  /** How many read a WatchOrder stream now. */
  watchers(): number;
  close(): Promise<void>;
}

export interface OrderServiceOptions {
  readonly database: TestDatabase;
  /** Where the peers are, by their services' full names. */
  readonly peers: ReadonlyMap<string, Address>;
  readonly logger?: Logger;
  readonly paymentTimeoutMs?: number;
}

/** The service as main.ts wires it, over the network, without broker and registry. */
export async function openOrderService(options: OrderServiceOptions): Promise<RunningOrderService> {
  const { database, peers, logger = silentLogger, paymentTimeoutMs = 60_000 } = options;
  const { store } = database;
  const clock = { now: new Date("2026-05-01T10:00:00Z") };
  const now = (): Date => clock.now;
  const orders = createOrderRepository(store);
  const feed = await openOrderFeed({ store, logger });
  const toPeers: Mesh = meshTo(peers, "order");
  const server: Server = await startServer({
    services: [
      serveOrders({
        orders,
        customers: createUserCustomers(toPeers),
        warehouse: createInventoryWarehouse(toPeers),
        feed,
        newKey: randomUUID,
        now,
        paymentTimeoutMs,
      }),
    ],
    host: "127.0.0.1",
    port: 0,
    logger,
    commands: createCommandStore(store),
  });
  const toOrders = meshTo(server);
  const timers = createTimerRepository(store);
  const fire = fireTimers({ timers, orders, logger, now, pauseMs: () => 1_000 });
  return {
    address: server,
    client: createOrderClient(toOrders),
    orders,
    clock,
    watchers: () => feed.getState().watchers,
    fireTimers: () => fire(new AbortController().signal),
    async close() {
      await toOrders.close();
      await server.close(1_000);
      await toPeers.close();
      await feed.close();
    },
  };
}

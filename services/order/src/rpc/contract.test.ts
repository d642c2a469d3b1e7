import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { InventoryService, stubInventoryService } from "@shop/contracts/inventory";
import { OrderService, OrderStatus } from "@shop/contracts/order";
import { stubUserService, UserService } from "@shop/contracts/user";
import { describeProvider, loadExamples, type RunningStub, type StateHandler, startStub } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { confirmOrder } from "../app/settle-order.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { openOrderService, type RunningOrderService } from "../testing/running-order-service.ts";
import { statusOf } from "./messages.ts";

let database: TestDatabase;
let service: RunningOrderService;
const stubs: RunningStub[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const users = await startStub(stubUserService(examplesOf(UserService)));
  const inventory = await startStub(stubInventoryService(examplesOf(InventoryService)));
  stubs.push(users, inventory);
  const peers = new Map([
    [UserService.typeName, users],
    [InventoryService.typeName, inventory],
  ]);
  service = await openOrderService({ database, peers });
});

afterAll(async () => {
  await service?.close();
  await Promise.all(stubs.map((stub) => stub.close()));
  await database?.drop();
});

const states: Record<string, StateHandler> = {
  async "no orders"() {
    await database.empty();
  },

  /** Takes the order through every state on its way to the one that the example wants. */
  async "an order"({ user_id: userId = "", status = "" }) {
    await database.empty();
    const { order } = await service.client.createOrder(
      { userId, items: [{ productId: "coffee-beans", quantity: 2 }], paymentToken: "tok_visa" },
      { headers: { "idempotency-key": randomUUID() } },
    );
    const orderId = order?.id ?? "";
    if (status === "CANCELLED") await service.client.cancelOrder({ orderId });
    if (["CONFIRMED", "SHIPPED", "DELIVERED"].includes(status)) {
      await confirmOrder(service.orders, () => service.clock.now)(orderId);
    }
    for (const step of ["SHIPPED", "DELIVERED"] as const) {
      if (status === "DELIVERED" || status === step) {
        await service.client.updateOrderStatus({ orderId, status: OrderStatus[step] });
      }
      if (status === step) break;
    }
    const reached = await service.client.getOrder({ orderId });
    expect(statusOf(reached.order?.status ?? 0)).toBe(status);
    return { order_id: orderId };
  },
};

describeProvider({ describe, it }, examplesOf(OrderService), () => ({ client: service.client, states }));

function examplesOf<S extends DescService>(contract: S) {
  const folder = contract.typeName.split(".").slice(0, -1).join("/");
  const file = contract.file.name.replace(/^.*\//, "");
  return loadExamples(contract, resolve(import.meta.dirname, "../../../../proto", folder, `${file}.examples.yaml`));
}

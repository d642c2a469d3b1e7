import { resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import {
  createOrderClient,
  GetOrderResponseSchema,
  OrderService,
  type OrderStatus,
  stubOrderService,
} from "@shop/contracts/order";
import type { Mesh } from "@weft/service";
import { loadExamples, meshTo, type RunningStub, startStub } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrders } from "./orders.ts";

const examples = resolve(import.meta.dirname, "../../../../proto/shop/order/v1/order_service.examples.yaml");
let stub: RunningStub;
let mesh: Mesh;

beforeAll(async () => {
  stub = await startStub(stubOrderService(loadExamples(OrderService, examples)));
  mesh = meshTo(stub);
});
afterAll(async () => {
  await mesh?.close();
  await stub?.close();
});

describe("the order service, as its contract's examples have it", () => {
  const orders = () => createOrders(createOrderClient(mesh));

  it.each([
    ["pending", "c0000000-0000-4000-8000-000000000001", "pending"],
    ["confirmed", "c0000000-0000-4000-8000-000000000002", "other"],
    ["shipped", "c0000000-0000-4000-8000-000000000003", "other"],
    ["delivered", "c0000000-0000-4000-8000-000000000004", "other"],
    ["cancelled", "c0000000-0000-4000-8000-000000000005", "cancelled"],
  ])("is read so that only a pending order is charged: a %s one", async (_status, orderId, standing) => {
    expect(await orders().standing(orderId)).toBe(standing);
  });

  it("is no reason to charge when it doesn't know the order, or can't be reached", async () => {
    await expect(orders().standing("f0000000-0000-4000-8000-000000000000")).rejects.toThrow(/not_found/);
    const nowhere = meshTo({ host: "127.0.0.1", port: 1 });
    await expect(
      createOrders(createOrderClient(nowhere)).standing("c0000000-0000-4000-8000-000000000001"),
    ).rejects.toThrow(/unavailable/);
    await nowhere.close();
  });

  it("is no reason to charge when it answers a status that isn't known here", async () => {
    const answer = create(GetOrderResponseSchema, { order: { status: 99 as OrderStatus } });
    expect(await createOrders({ getOrder: async () => answer }).standing("")).toBe("other");
  });
});

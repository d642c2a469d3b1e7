import { randomUUID } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { InventoryService } from "@shop/contracts/inventory";
import { OrderStatus } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import { forgedPageTokens, refusal } from "@weft/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { confirmOrder } from "../app/settle-order.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { type Peers, startPeers } from "../testing/peers.ts";
import { openOrderService, type RunningOrderService } from "../testing/running-order-service.ts";

const ada = "a0000000-0000-4000-8000-000000000001";
const nobody = "f0000000-0000-4000-8000-000000000000";

let database: TestDatabase;
let peers: Peers;
let service: RunningOrderService;

beforeAll(async () => {
  database = await createTestDatabase();
  peers = await startPeers(database.store);
  const addresses = new Map([
    [UserService.typeName, peers],
    [InventoryService.typeName, peers],
  ]);
  service = await openOrderService({ database, peers: addresses });
});

afterAll(async () => {
  await service?.close();
  await peers?.close(1_000);
  await database?.drop();
});

beforeEach(async () => {
  await database.empty();
  peers.world.users.set(ada, "active");
  peers.world.products.set("mug", { price: 1250n, currency: "USD", stock: 1_000 });
});

async function placed(): Promise<string> {
  const items = [{ productId: "mug", quantity: 1 }];
  const { order } = await service.client.createOrder({ userId: ada, items, paymentToken: "tok_visa" });
  return order?.id ?? "";
}

async function confirmed(): Promise<string> {
  const id = await placed();
  await confirmOrder(service.orders, () => service.clock.now)(id);
  return id;
}

async function statusChanges(): Promise<number> {
  const { rows } = await sql<{ count: string }>`SELECT count(*) FROM order_changes`.execute(database.store.db);
  return Number(rows[0]?.count);
}

describe("CancelOrder", () => {
  it("cancels a PENDING order with the customer's reason, and a repeat changes nothing", async () => {
    const orderId = await placed();
    const { order } = await service.client.cancelOrder({ orderId, reason: "changed my mind" });
    expect(order).toMatchObject({ status: OrderStatus.CANCELLED, reason: "changed my mind", version: 2 });
    expect((await service.client.cancelOrder({ orderId, reason: "again" })).order).toEqual(order);
    expect(await statusChanges()).toBe(1);
  });

  it("cancels a CONFIRMED order", async () => {
    const { order } = await service.client.cancelOrder({ orderId: await confirmed() });
    expect(order).toMatchObject({ status: OrderStatus.CANCELLED, version: 3 });
  });

  it("asks nobody: it answers while every other service is away", async () => {
    const [pending, paid] = [await placed(), await confirmed()];
    const lonely = await openOrderService({ database, peers: new Map() });
    try {
      for (const orderId of [pending, paid]) {
        const { order } = await lonely.client.cancelOrder({ orderId });
        expect(order?.status).toBe(OrderStatus.CANCELLED);
      }
    } finally {
      await lonely.close();
    }
  });

  it("changes an order once when twenty cancel it at once", async () => {
    const orderId = await placed();
    const answers = await Promise.all(Array.from({ length: 20 }, () => service.client.cancelOrder({ orderId })));
    expect(new Set(answers.map(({ order }) => order?.version))).toEqual(new Set([2]));
    expect(await statusChanges()).toBe(1);
  });

  it("leaves an order alone that was shipped, and says what it can become", async () => {
    const orderId = await confirmed();
    await service.client.updateOrderStatus({ orderId, status: OrderStatus.SHIPPED });
    const error = await refusal(service.client.cancelOrder({ orderId }));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.rawMessage).toBe(
      `order ${orderId} is SHIPPED and can't become CANCELLED: from SHIPPED it can become DELIVERED`,
    );
  });
});

describe("UpdateOrderStatus", () => {
  it("takes a confirmed order to its door, step by step", async () => {
    const orderId = await confirmed();
    const shipped = await service.client.updateOrderStatus({ orderId, status: OrderStatus.SHIPPED, reason: "by boat" });
    expect(shipped.order).toMatchObject({ status: OrderStatus.SHIPPED, reason: "by boat", version: 3 });
    const again = await service.client.updateOrderStatus({ orderId, status: OrderStatus.SHIPPED });
    expect(again.order).toEqual(shipped.order);
    const delivered = await service.client.updateOrderStatus({ orderId, status: OrderStatus.DELIVERED });
    expect(delivered.order).toMatchObject({ status: OrderStatus.DELIVERED, version: 4 });
  });

  it("never confirms: a payment alone does", async () => {
    const orderId = await placed();
    const error = await refusal(service.client.updateOrderStatus({ orderId, status: OrderStatus.CONFIRMED }));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.rawMessage).toMatch(/a payment alone confirms an order/);
  });
});

describe("ListOrdersByUser", () => {
  it("pages through a user's orders, newest first, also those of one moment", async () => {
    const placedIds: string[] = [];
    for (let minute = 0; minute < 3; minute += 1) {
      service.clock.now = new Date(Date.UTC(2026, 4, 1, 10, minute));
      placedIds.push(...[await placed(), await placed()].sort());
    }
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await service.client.listOrdersByUser({ userId: ada, pageSize: 4, pageToken });
      seen.push(...page.orders.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(seen).toEqual(placedIds.reverse());
  });

  it("is empty for a user without orders", async () => {
    expect(await service.client.listOrdersByUser({ userId: nobody })).toMatchObject({ orders: [], nextPageToken: "" });
  });

  it.each(forgedPageTokens)("refuses by name a page token %s", async (_what, pageToken) => {
    const error = await refusal(service.client.listOrdersByUser({ userId: ada, pageToken }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/page_token/);
  });
});

describe("GetOrderWithUser", () => {
  it("shows who placed the order, also when the account was deleted since", async () => {
    const orderId = await placed();
    peers.world.users.set(ada, "deleted");
    const { order, user } = await service.client.getOrderWithUser({ orderId });
    expect(order?.id).toBe(orderId);
    expect(user).toMatchObject({ id: ada, name: "Ada Lovelace" });
  });

  it("is UNAVAILABLE while the user service is away", async () => {
    const orderId = await placed();
    const lonely = await openOrderService({ database, peers: new Map() });
    const error = await refusal(lonely.client.getOrderWithUser({ orderId }));
    await lonely.close();
    expect(error.code).toBe(Code.Unavailable);
  });
});

describe("an unknown order", () => {
  it.each(["getOrder", "getOrderWithUser", "cancelOrder"] as const)("is NOT_FOUND by name to %s", async (method) => {
    const error = await refusal(service.client[method]({ orderId: nobody }));
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: `order ${nobody} does not exist` });
  });

  it("is NOT_FOUND by name to UpdateOrderStatus and WatchOrder", async () => {
    const update = service.client.updateOrderStatus({ orderId: nobody, status: OrderStatus.SHIPPED });
    expect((await refusal(update)).code).toBe(Code.NotFound);
    const watch = service.client.watchOrder({ orderId: nobody })[Symbol.asyncIterator]().next();
    expect(await refusal(watch)).toMatchObject({ code: Code.NotFound, rawMessage: `order ${nobody} does not exist` });
  });
});

describe("bad input", () => {
  const item = { productId: "mug", quantity: 1 };
  const good = { userId: ada, items: [item], paymentToken: "tok_visa" };
  const creations: [string, object, RegExp][] = [
    ["a missing user", { ...good, userId: "" }, /user_id/],
    ["a user that is no UUID", { ...good, userId: "42" }, /user_id/],
    ["no items", { ...good, items: [] }, /items/],
    ["a product that is named twice", { ...good, items: [item, item] }, /items/],
    [
      "more items than a list holds",
      { ...good, items: Array.from({ length: 101 }, (_, i) => ({ ...item, productId: `p${i}` })) },
      /items/,
    ],
    ["a product that is no product id", { ...good, items: [{ ...item, productId: "A Mug" }] }, /product_id/],
    ["a negative quantity", { ...good, items: [{ ...item, quantity: -1 }] }, /quantity/],
    ["a quantity of nothing", { ...good, items: [{ ...item, quantity: 0 }] }, /quantity/],
    ["a quantity beyond reason", { ...good, items: [{ ...item, quantity: 1_000_001 }] }, /quantity/],
    ["a missing payment token", { ...good, paymentToken: "" }, /payment_token/],
    ["a payment token of blanks alone", { ...good, paymentToken: "   " }, /payment_token/],
    ["a NUL in the payment token", { ...good, paymentToken: "tok_\0visa" }, /payment_token/],
    ["a payment token that is too long", { ...good, paymentToken: "t".repeat(201) }, /payment_token/],
  ];
  it.each(creations)("CreateOrder refuses %s", async (_what, request, field) => {
    const error = await refusal(service.client.createOrder(request, { headers: { "idempotency-key": randomUUID() } }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(field);
  });

  const tooLong = "r".repeat(501);
  const others: [string, () => Promise<unknown>, RegExp][] = [
    ["GetOrder without an id", () => service.client.getOrder({}), /order_id/],
    ["GetOrder with what is no id", () => service.client.getOrder({ orderId: "42" }), /order_id/],
    ["GetOrderWithUser with what is no id", () => service.client.getOrderWithUser({ orderId: "42" }), /order_id/],
    ["CancelOrder with what is no id", () => service.client.cancelOrder({ orderId: "42" }), /order_id/],
    [
      "CancelOrder with too long a reason",
      () => service.client.cancelOrder({ orderId: nobody, reason: tooLong }),
      /reason/,
    ],
    [
      "CancelOrder with a NUL in the reason",
      () => service.client.cancelOrder({ orderId: nobody, reason: "x\0" }),
      /reason/,
    ],
    [
      "UpdateOrderStatus with a NUL in the reason",
      () => service.client.updateOrderStatus({ orderId: nobody, status: OrderStatus.SHIPPED, reason: "x\0" }),
      /reason/,
    ],
    [
      "ListOrdersByUser with a NUL in the token",
      () => service.client.listOrdersByUser({ userId: ada, pageToken: "\0" }),
      /page_token/,
    ],
    ["UpdateOrderStatus without a status", () => service.client.updateOrderStatus({ orderId: nobody }), /status/],
    [
      "UpdateOrderStatus with a status that isn't one",
      () => service.client.updateOrderStatus({ orderId: nobody, status: 42 as OrderStatus }),
      /status/,
    ],
    [
      "UpdateOrderStatus with too long a reason",
      () => service.client.updateOrderStatus({ orderId: nobody, status: OrderStatus.SHIPPED, reason: tooLong }),
      /reason/,
    ],
    ["ListOrdersByUser without a user", () => service.client.listOrdersByUser({}), /user_id/],
    [
      "ListOrdersByUser with a negative page",
      () => service.client.listOrdersByUser({ userId: ada, pageSize: -1 }),
      /page_size/,
    ],
    [
      "ListOrdersByUser with too large a page",
      () => service.client.listOrdersByUser({ userId: ada, pageSize: 101 }),
      /page_size/,
    ],
    [
      "WatchOrder with what is no id",
      () => service.client.watchOrder({ orderId: "42" })[Symbol.asyncIterator]().next(),
      /order_id/,
    ],
  ];
  it.each(others)("%s is refused by the field's name", async (_what, call, field) => {
    const error = await refusal(call());
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(field);
  });
});

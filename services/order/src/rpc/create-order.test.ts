import { createHash, randomUUID } from "node:crypto";
import { create as createMessage, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { InventoryService } from "@shop/contracts/inventory";
import { CreateOrderRequestSchema, CreateOrderResponseSchema, OrderService, OrderStatus } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import { createCommandStore } from "@weft/store";
import type { Logger } from "@weft/telemetry";
import { refusal } from "@weft/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { orderIdOf } from "../domain/order-id.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { type Peers, startPeers } from "../testing/peers.ts";
import { openOrderService, type RunningOrderService } from "../testing/running-order-service.ts";

const ada = "a0000000-0000-4000-8000-000000000001";
const alan = "a0000000-0000-4000-8000-000000000003";
const wish = { userId: ada, items: [{ productId: "mug", quantity: 2 }], paymentToken: "tok_visa" };

let database: TestDatabase;
let peers: Peers;
let service: RunningOrderService;
const logged: { fields: object; message: string }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  peers = await startPeers(database.store);
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields, message) => void logged.push({ fields, message }),
    child: () => logger,
  };
  const addresses = new Map([
    [UserService.typeName, peers],
    [InventoryService.typeName, peers],
  ]);
  service = await openOrderService({ database, peers: addresses, logger });
});

afterAll(async () => {
  await service?.close();
  await peers?.close(1_000);
  await database?.drop();
});

beforeEach(async () => {
  await database.empty();
  const { world } = peers;
  world.users.clear();
  world.users.set(ada, "active").set(alan, "deleted");
  world.products.clear();
  world.products.set("mug", { price: 1250n, currency: "USD", stock: 10 });
  world.products.set("tea", { price: 400n, currency: "USD", stock: 3 });
  world.reservations.clear();
  world.failures.clear();
  world.calls.length = 0;
  logged.length = 0;
});

const create = (request: Partial<typeof wish> = {}, key: string = randomUUID()) =>
  service.client.createOrder({ ...wish, ...request }, { headers: { "idempotency-key": key } });

/** Runs `work` while the database can keep no order: the last step of CreateOrder fails. */
async function withoutTimers<T>(work: () => Promise<T>): Promise<T> {
  await sql`ALTER TABLE order_timers RENAME TO order_timers_away`.execute(database.store.db);
  try {
    return await work();
  } finally {
    await sql`ALTER TABLE order_timers_away RENAME TO order_timers`.execute(database.store.db);
  }
}

async function count(table: string): Promise<number> {
  const { rows } = await sql<{ count: string }>`SELECT count(*) FROM ${sql.raw(table)}`.execute(database.store.db);
  return Number(rows[0]?.count);
}

describe("CreateOrder", () => {
  it("keeps a PENDING order at the catalogue's prices, its event and its timer, and holds the stock", async () => {
    const key = randomUUID();
    const items = [
      { productId: "tea", quantity: 3 },
      { productId: "mug", quantity: 2 },
    ];
    const { order } = await create({ items }, key);
    const id = orderIdOf(ada, key);
    expect(order).toMatchObject({
      id,
      userId: ada,
      items: [
        { productId: "tea", quantity: 3, unitPrice: { currencyCode: "USD", minorUnits: 400n } },
        { productId: "mug", quantity: 2, unitPrice: { currencyCode: "USD", minorUnits: 1250n } },
      ],
      total: { currencyCode: "USD", minorUnits: 3700n },
      status: OrderStatus.PENDING,
      reason: "",
      version: 1,
    });
    expect((await service.client.getOrder({ orderId: id })).order).toEqual(order);
    expect([...(peers.world.reservations.get(id) ?? [])]).toEqual([
      ["tea", 3],
      ["mug", 2],
    ]);
    expect(await count("order_timers")).toBe(1);
    expect(await count("weft.outbox")).toBe(1);
  });

  it("is one order with identical bytes when one key comes fifty times at once", async () => {
    const key = randomUUID();
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => create({}, key)));
    const bytes = outcomes.map((outcome) =>
      outcome.status === "fulfilled"
        ? Buffer.from(toBinary(CreateOrderResponseSchema, outcome.value)).toString("hex")
        : String(outcome.reason),
    );
    expect(new Set(bytes).size).toBe(1);
    expect(await count("orders")).toBe(1);
    expect(await count("weft.outbox")).toBe(1);
    expect(peers.world.products.get("mug")?.stock).toBe(8);
    expect(peers.world.calls.filter((call) => call === "reserveItems")).toHaveLength(1);
  });

  it("is placed by a repeat when the process that had its key died, once the key's lease is over", async () => {
    const key = randomUUID();
    const asked = toBinary(CreateOrderRequestSchema, createMessage(CreateOrderRequestSchema, wish));
    const scope = `${OrderService.typeName}/CreateOrder`;
    const requestHash = createHash("sha256").update(asked).digest();
    await createCommandStore(database.store).claim({ scope, key, requestHash, leaseMs: 500 });
    const repeats = await Promise.all([create({}, key), create({}, key)]);
    const ids = repeats.map(({ order }) => order?.id);
    expect(ids).toEqual([orderIdOf(ada, key), orderIdOf(ada, key)]);
    expect(await count("orders")).toBe(1);
    expect(peers.world.calls.filter((call) => call === "reserveItems")).toHaveLength(1);
  });

  it("answers a repeat with the first answer's bytes, whatever became of the order", async () => {
    const key = randomUUID();
    const first = await create({}, key);
    await service.client.cancelOrder({ orderId: first.order?.id ?? "" });
    const again = await create({}, key);
    expect(toBinary(CreateOrderResponseSchema, again)).toEqual(toBinary(CreateOrderResponseSchema, first));
  });

  it("answers the order to a repeat that comes when the first answer is forgotten, and asks nobody", async () => {
    const key = randomUUID();
    const { order } = await create({}, key);
    await service.client.cancelOrder({ orderId: order?.id ?? "" });
    await sql`DELETE FROM weft.commands`.execute(database.store.db);
    peers.world.calls.length = 0;
    peers.world.users.set(ada, "deleted");
    peers.world.products.clear();
    const again = await create({}, key);
    expect(again.order).toMatchObject({ id: order?.id, status: OrderStatus.CANCELLED, version: 2 });
    expect(peers.world.calls).toEqual([]);

    await sql`DELETE FROM weft.commands`.execute(database.store.db);
    const other = await refusal(create({ items: [{ productId: "mug", quantity: 3 }] }, key));
    expect(other).toMatchObject({ code: Code.InvalidArgument });
    expect(other.rawMessage).toMatch(/use a new key/);
    expect(await count("weft.outbox")).toBe(2);
  });

  it("refuses a key that was used for another order", async () => {
    const key = randomUUID();
    await create({}, key);
    const error = await refusal(create({ items: [{ productId: "mug", quantity: 3 }] }, key));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/use a new key/);
  });

  it("makes two orders of the same wishes under two keys", async () => {
    const [one, other] = await Promise.all([create(), create()]);
    expect(one.order?.id).not.toBe(other.order?.id);
    expect(peers.world.products.get("mug")?.stock).toBe(6);
  });

  it("finishes, on a retry, what died after the stock was held, though that was the last of it", async () => {
    const key = randomUUID();
    const items = [{ productId: "tea", quantity: 3 }];
    expect((await withoutTimers(() => refusal(create({ items }, key)))).code).toBe(Code.Internal);
    expect(await count("orders")).toBe(0);
    expect(peers.world.products.get("tea")?.stock).toBe(0);

    const { order } = await create({ items }, key);
    expect(order?.status).toBe(OrderStatus.PENDING);
    expect([...peers.world.reservations.keys()]).toEqual([order?.id]);
  });

  it("refuses, on a retry, other wishes than those that the stock is held for", async () => {
    const key = randomUUID();
    await withoutTimers(() => refusal(create({}, key)));
    const error = await refusal(create({ items: [{ productId: "mug", quantity: 5 }] }, key));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/use a new key/);
  });

  it("lets nothing internal out when the database refuses", async () => {
    const error = await withoutTimers(() => refusal(create()));
    expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
    expect(logged).toHaveLength(1);
  });

  it("refuses an unknown user by name", async () => {
    const userId = "f0000000-0000-4000-8000-000000000000";
    const error = await refusal(create({ userId }));
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: `user ${userId} does not exist` });
    expect(peers.world.calls).not.toContain("reserveItems");
  });

  it("refuses a deleted user by name", async () => {
    const error = await refusal(create({ userId: alan }));
    expect(error).toMatchObject({ code: Code.FailedPrecondition });
    expect(error.rawMessage).toContain(alan);
  });

  it("refuses an unknown product by name", async () => {
    const error = await refusal(create({ items: [{ productId: "unicorn", quantity: 1 }] }));
    expect(error).toMatchObject({ code: Code.NotFound });
    expect(error.rawMessage).toContain("unicorn");
  });

  it("names what is short, and what is left of it", async () => {
    const items = [
      { productId: "mug", quantity: 1 },
      { productId: "tea", quantity: 4 },
    ];
    const error = await refusal(create({ items }));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.rawMessage).toBe("there is not enough stock of tea (4 ordered, 3 left)");
    expect(await count("orders")).toBe(0);
  });

  it("passes on what the reservation names when the stock went between the two questions", async () => {
    peers.world.failures.set("reserveItems", new ConnectError("too little stock of mug", Code.FailedPrecondition));
    const error = await refusal(create());
    expect(error).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "too little stock of mug" });
  });

  it("refuses products of two currencies", async () => {
    peers.world.products.set("tea", { price: 400n, currency: "EUR", stock: 3 });
    const items = [
      { productId: "mug", quantity: 1 },
      { productId: "tea", quantity: 1 },
    ];
    const error = await refusal(create({ items }));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.rawMessage).toMatch(/USD and EUR/);
    expect(peers.world.reservations.size).toBe(0);
  });

  it("frees the key of a refused order, so that it can be tried again", async () => {
    const key = randomUUID();
    peers.world.products.set("mug", { price: 1250n, currency: "USD", stock: 0 });
    await refusal(create({}, key));
    peers.world.products.set("mug", { price: 1250n, currency: "USD", stock: 5 });
    expect((await create({}, key)).order?.id).toBe(orderIdOf(ada, key));
  });

  it("hides what broke inside a peer, and logs it", async () => {
    peers.world.failures.set("checkAvailability", new ConnectError("disk /dev/sda is full", Code.DataLoss));
    const error = await refusal(create());
    expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
    expect(logged).toHaveLength(1);
  });

  it("takes one spelling of a user's id for the other", async () => {
    const { order } = await create({ userId: ada.toUpperCase() }, "spelling");
    expect(order).toMatchObject({ userId: ada, id: orderIdOf(ada, "spelling") });
  });
});

describe("CreateOrder without its peers", () => {
  it("is UNAVAILABLE and says which service is away", async () => {
    const lonely = await openOrderService({ database, peers: new Map() });
    const error = await refusal(lonely.client.createOrder(wish));
    await lonely.close();
    expect(error).toMatchObject({
      code: Code.Unavailable,
      rawMessage: "the user service can't be reached: try again",
    });
  });
});

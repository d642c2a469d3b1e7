import { randomUUID } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ReservationStatus } from "@shop/contracts/inventory";
import { forgedPageTokens, refusal } from "@weft/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { published } from "../testing/published.ts";
import { openInventory, type RunningInventory } from "../testing/running-inventory.ts";

let database: TestDatabase;
let inventory: RunningInventory;

beforeAll(async () => {
  database = await createTestDatabase();
  inventory = await openInventory({ database });
});
beforeEach(() =>
  database.fill([
    { id: "beans", stock: 100 },
    { id: "kettle", stock: 5 },
    { id: "press", stock: 0 },
  ]),
);
afterAll(async () => {
  await inventory?.close();
  await database?.drop();
});

describe("ListProducts", () => {
  it("pages through all products by their ids", async () => {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await inventory.client.listProducts({ pageSize: 2, pageToken });
      seen.push(...page.products.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["beans", "kettle", "press"]);
  });

  it.each(forgedPageTokens)("refuses a page token %s", async (_what, pageToken) => {
    expect(await refusal(inventory.client.listProducts({ pageToken }))).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining("page_token"),
    });
  });
});

describe("CheckAvailability", () => {
  it("answers in the order asked", async () => {
    const items = ["press", "beans", "kettle"].map((productId) => ({ productId, quantity: 3 }));
    const answer = await inventory.client.checkAvailability({ items });
    expect(answer.items.map(({ productId, available }) => [productId, available])).toEqual([
      ["press", false],
      ["beans", true],
      ["kettle", true],
    ]);
  });

  it("names every product that doesn't exist", async () => {
    const items = ["gold", "beans", "silver"].map((productId) => ({ productId, quantity: 1 }));
    expect(await refusal(inventory.client.checkAvailability({ items }))).toMatchObject({
      code: Code.NotFound,
      rawMessage: "no such products: gold, silver",
    });
  });

  it("doesn't offer what is reserved", async () => {
    await inventory.client.reserveProduct({ orderId: randomUUID(), productId: "kettle", quantity: 4 });
    const { availability } = await inventory.client.getAvailability({ productId: "kettle", quantity: 2 });
    expect(availability).toMatchObject({ available: false, availableQuantity: 1 });
  });
});

describe("ReserveItems", () => {
  it("reserves all items or none, and names each product that is short with what is left", async () => {
    const items = ["beans", "kettle", "press"].map((productId) => ({ productId, quantity: 6 }));
    expect(await refusal(inventory.client.reserveItems({ orderId: randomUUID(), items }))).toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: "too little stock of kettle (6 wanted, 5 left), press (6 wanted, 0 left)",
    });
    expect(await levels("beans")).toEqual({ stock: 100, reserved: 0 });
  });

  it("holds once, however often it is asked at once", async () => {
    const request = { orderId: randomUUID(), items: [{ productId: "beans", quantity: 10 }] };
    const answers = await Promise.all(Array.from({ length: 8 }, () => inventory.client.reserveItems(request)));
    expect(new Set(answers.map(({ reservation }) => reservation?.status))).toEqual(new Set([ReservationStatus.HELD]));
    expect(await levels("beans")).toEqual({ stock: 100, reserved: 10 });
  });

  it("takes an order's id in capitals for the same order", async () => {
    const orderId = randomUUID();
    const items = [{ productId: "beans", quantity: 10 }];
    await inventory.client.reserveItems({ orderId: orderId.toUpperCase(), items });
    const { reservation } = await inventory.client.reserveItems({ orderId, items });
    expect(reservation?.orderId).toBe(orderId);
    expect(await published(database, orderId)).toEqual(["StockReserved: 10 beans"]);
  });

  it("gives the last unit to one of many", async () => {
    const ends = await Promise.all(
      Array.from({ length: 10 }, () =>
        outcome(inventory.client.reserveProduct({ orderId: randomUUID(), productId: "kettle", quantity: 2 })),
      ),
    );
    expect(ends.filter((end) => end === "ok")).toHaveLength(2);
    expect(ends.filter((end) => end === Code.FailedPrecondition)).toHaveLength(8);
    expect(await levels("kettle")).toEqual({ stock: 5, reserved: 4 });
  });

  it("holds an expired reservation again", async () => {
    const request = { orderId: randomUUID(), items: [{ productId: "kettle", quantity: 5 }] };
    const first = await inventory.client.reserveItems(request);
    await expireAll();
    expect(await levels("kettle")).toEqual({ stock: 5, reserved: 0 });
    const second = await inventory.client.reserveItems(request);
    expect(second.reservation?.status).toBe(ReservationStatus.HELD);
    expect(expiry(second)).toBeGreaterThan(expiry(first));
    expect(await levels("kettle")).toEqual({ stock: 5, reserved: 5 });
  });

  it("is refused once the reservation was released", async () => {
    const request = { orderId: randomUUID(), items: [{ productId: "kettle", quantity: 1 }] };
    await inventory.client.reserveItems(request);
    await inventory.client.releaseReservation({ orderId: request.orderId });
    expect(await outcome(inventory.client.reserveItems(request))).toBe(Code.FailedPrecondition);
    expect(await levels("kettle")).toEqual({ stock: 5, reserved: 0 });
  });

  const expiry = (answer: Awaited<ReturnType<RunningInventory["client"]["reserveItems"]>>): number =>
    answer.reservation?.expiresAt ? timestampDate(answer.reservation.expiresAt).getTime() : Number.NaN;
});

describe("ReleaseReservation", () => {
  it("gives the stock back once, and tells of it once", async () => {
    const orderId = randomUUID();
    await inventory.client.reserveProduct({ orderId, productId: "beans", quantity: 10 });
    await inventory.client.releaseReservation({ orderId });
    await inventory.client.releaseReservation({ orderId });
    expect(await levels("beans")).toEqual({ stock: 100, reserved: 0 });
    expect(await published(database, orderId)).toEqual([
      "StockReserved: 10 beans",
      "StockReleased REQUESTED: 10 beans",
    ]);
  });

  it("doesn't find a product that isn't reserved for the order", async () => {
    const orderId = randomUUID();
    await inventory.client.reserveProduct({ orderId, productId: "beans", quantity: 1 });
    const release = inventory.client.releaseReservation({ orderId, productId: "kettle" });
    expect(await outcome(release)).toBe(Code.NotFound);
    expect(await levels("beans")).toEqual({ stock: 100, reserved: 1 });
  });
});

describe("CommitReservation", () => {
  it("takes the stock once", async () => {
    const orderId = randomUUID();
    await inventory.client.reserveProduct({ orderId, productId: "beans", quantity: 10 });
    await inventory.client.commitReservation({ orderId });
    await inventory.client.commitReservation({ orderId });
    expect(await levels("beans")).toEqual({ stock: 90, reserved: 0 });
    expect(await published(database, orderId)).toEqual(["StockReserved: 10 beans", "StockCommitted: 10 beans"]);
  });
});

describe("RestockProduct", () => {
  it("adds a delivery once a key", async () => {
    const delivery = { productId: "press", quantity: 7 };
    const options = { headers: { "idempotency-key": randomUUID() } };
    const first = await inventory.client.restockProduct(delivery, options);
    expect(await inventory.client.restockProduct(delivery, options)).toEqual(first);
    expect(await levels("press")).toEqual({ stock: 7, reserved: 0 });
  });

  it("refuses another delivery under the same key", async () => {
    const options = { headers: { "idempotency-key": randomUUID() } };
    await inventory.client.restockProduct({ productId: "press", quantity: 7 }, options);
    const other = inventory.client.restockProduct({ productId: "press", quantity: 8 }, options);
    expect(await outcome(other)).toBe(Code.InvalidArgument);
  });

  it("refuses more than a product may have", async () => {
    await database.fill([{ id: "beans", stock: 999_999_999 }]);
    const delivery = inventory.client.restockProduct({ productId: "beans", quantity: 2 });
    expect(await outcome(delivery)).toBe(Code.FailedPrecondition);
  });
});

describe("the sweep", () => {
  it("frees what is overdue, and nothing else", async () => {
    const [overdue, pinned] = [randomUUID(), randomUUID()];
    await inventory.client.reserveProduct({ orderId: overdue, productId: "beans", quantity: 10 });
    await inventory.client.reserveProduct({ orderId: pinned, productId: "beans", quantity: 20 });
    await inventory.client.commitReservation({ orderId: pinned });
    await expireAll();
    await inventory.client.reserveProduct({ orderId: randomUUID(), productId: "beans", quantity: 40 });
    expect(await inventory.sweep()).toBe(0);
    expect(await levels("beans")).toEqual({ stock: 80, reserved: 40 });
  });

  it("frees once what several instances sweep at once", async () => {
    const orders = Array.from({ length: 20 }, () => randomUUID());
    await Promise.all(
      orders.map((orderId) => inventory.client.reserveProduct({ orderId, productId: "beans", quantity: 2 })),
    );
    inventory.clock.now = new Date(inventory.clock.now.getTime() + 60_000);
    await Promise.all([inventory.sweep(), inventory.sweep(), inventory.sweep()]);
    expect(await inventory.sweep()).toBe(0);
    expect(await levels("beans")).toEqual({ stock: 100, reserved: 0 });
  });

  it("stops between two reservations when it is told to", async () => {
    await inventory.client.reserveProduct({ orderId: randomUUID(), productId: "beans", quantity: 2 });
    inventory.clock.now = new Date(inventory.clock.now.getTime() + 60_000);
    await expect(inventory.sweep(AbortSignal.abort(new Error("closing")))).rejects.toThrow("closing");
    expect(await levels("beans")).toEqual({ stock: 100, reserved: 2 });
  });

  it("tells nobody", async () => {
    const orderId = randomUUID();
    await inventory.client.reserveProduct({ orderId, productId: "beans", quantity: 10 });
    await expireAll();
    expect(await published(database, orderId)).toEqual(["StockReserved: 10 beans"]);
  });
});

async function levels(id: string): Promise<{ stock: number; reserved: number }> {
  const query = database.store.db.selectFrom("products").select(["stock", "reserved"]).where("id", "=", id);
  return await query.executeTakeFirstOrThrow();
}

async function expireAll(): Promise<void> {
  inventory.clock.now = new Date(inventory.clock.now.getTime() + 60_000);
  while ((await inventory.sweep()) > 0);
}

async function outcome(call: Promise<unknown>): Promise<"ok" | Code> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

import { join } from "node:path";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { StockReservedSchema } from "@shop/contracts/inventory";
import { OrderCreatedSchema } from "@shop/contracts/order";
import { silentLogger } from "@weft/telemetry";
import * as testkit from "@weft/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expireReservations } from "../app/expire-reservations.ts";
import type { Reservations } from "../app/reservations.ts";
import { reserveItems } from "../app/reserve-items.ts";
import { createReservationRepository } from "../store/reservation-repository.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { published } from "../testing/published.ts";
import { onOrderCreated } from "./order-created.ts";
import { onOrderStatusChanged } from "./order-status-changed.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));

/** What each history left of 100 units, or of the 5 of the scarce product: in stock, and reserved of them. */
const ends: Readonly<Record<string, Readonly<Record<string, readonly [stock: number, reserved: number]>>>> = {
  "cancelled-before-the-charge": {},
  "cancelled-while-charged": {},
  "cancelled-once-confirmed": {},
  declined: {},
  "newer-publisher": { "espresso-beans": [99, 1], "filter-papers": [99, 1] },
  paid: { "espresso-beans": [99, 0], "filter-papers": [99, 0] },
  "payment-timed-out": {},
  "refunded-by-an-operator": {},
  "shipped-and-delivered": { "espresso-beans": [99, 0] },
  "stock-gone": { "moka-pot": [0, 0] },
  "two-orders-of-one-user": { "espresso-beans": [99, 0] },
  "user-created-updated-deleted": {},
};
const atFirst = { "espresso-beans": [100, 0], "filter-papers": [100, 0], "moka-pot": [5, 0] };

/** Its end depends on who is first at the stock: two orders want the same five. */
const isRace = ({ name }: testkit.History): boolean => name === "stock-gone";

let database: TestDatabase;
let reservations: Reservations;
let replay: testkit.Replay;
let at: Date;
const now = (): Date => at;

beforeAll(async () => {
  database = await createTestDatabase();
  reservations = createReservationRepository(database.store);
});

beforeEach(async () => {
  await database.fill(Object.entries(atFirst).map(([id, [stock = 0]]) => ({ id, stock })));
  const parts = { reservations, now, logger: silentLogger };
  replay = testkit.startReplay({
    service: "inventory",
    store: database.store,
    subscriptions: [onOrderCreated(parts), onOrderStatusChanged(parts)],
  });
});

afterEach(() => replay.close());

afterAll(() => database?.drop());

/** Lets it happen again: stock is reserved when it was, what was not claimed in time expires, and orders come. */
async function play(events: readonly testkit.RecordedEvent[], { expiring = true } = {}): Promise<void> {
  const expire = expireReservations({ reservations, logger: silentLogger, now, pauseMs: () => 0 });
  for (const event of events) {
    at = testkit.momentFor("inventory", event);
    if (expiring) await expire(new AbortController().signal);
    const reserved = testkit.recordedAs(StockReservedSchema, event);
    // Without an expiry it was taken again for an order that came: nobody's command.
    if (reserved?.expiresAt) await reserve(reserved, reserved.expiresAt);
    else if (!testkit.isOf("inventory", event)) await replay.deliver(event);
  }
}

async function reserve(
  { orderId, items }: { orderId: string; items: readonly { productId: string; quantity: number }[] },
  expiresAt: Timestamp,
): Promise<void> {
  const ttlMs = timestampDate(expiresAt).getTime() - at.getTime();
  await reserveItems(reservations, now, ttlMs)({ orderId, items });
}

function placedIn(events: readonly testkit.RecordedEvent[]): readonly string[] {
  return events.flatMap((event) => testkit.recordedAs(OrderCreatedSchema, event)?.orderId ?? []);
}

const wasTold = (events: readonly testkit.RecordedEvent[], orderId: string) =>
  testkit.toldBy("inventory", events, orderId).map(({ subject }) => subject.replace(/^.*\./, ""));

async function told(orderId: string): Promise<readonly string[]> {
  return (await published(database, orderId)).map((event) => event.replace(/[ :].*$/, ""));
}

async function stock(): Promise<object> {
  const rows = await database.store.db.selectFrom("products").select(["id", "stock", "reserved"]).execute();
  return Object.fromEntries(rows.map(({ id, stock, reserved }) => [id, [stock, reserved]]));
}

/** All that there is of stock and reservations. */
async function effects() {
  return {
    stock: await stock(),
    reservations: await database.store.db.selectFrom("reservations").selectAll().orderBy("order_id").execute(),
  };
}

describe.each(histories)("the recorded history $name", (history) => {
  const events = testkit.asSeenBy("inventory", history);

  it("ends as it did, and tells the same", async () => {
    await play(events);
    expect(await stock()).toEqual({ ...atFirst, ...ends[history.name] });
    for (const id of placedIn(events)) expect(await told(id)).toEqual(wasTold(events, id));
    expect(await testkit.deadLetters(database.store)).toEqual([]);
  });

  it("has no second effect when its events come again, nor when the inbox has forgotten them", async () => {
    await play(events);
    const { once, again, forgotten } = await testkit.deliverAgain(events, { replay, store: database.store, effects });
    expect(again).toEqual(once);
    expect(forgotten).toEqual(once);
  });
});

it.each([1, 2, 3, 4, 5])("all histories at once end as each did, whichever order comes first (%i)", async (seed) => {
  const together = histories.filter((history) => !isRace(history));
  const all = together.flatMap((history) => testkit.asSeenBy("inventory", history));
  await play(testkit.interleave(all, seed), { expiring: false });
  for (const { name, events } of together)
    for (const id of placedIn(events)) expect(await told(id), name).toEqual(wasTold(events, id));
  expect(await stock()).toEqual({ ...atFirst, "espresso-beans": [96, 1], "filter-papers": [98, 1] });
});

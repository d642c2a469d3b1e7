import { randomUUID } from "node:crypto";
import { StockCommitted, StockReleased, StockReserved } from "@shop/contracts/inventory";
import { type Logger, silentLogger } from "@weft/telemetry";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cancelReservation } from "../app/cancel-reservation.ts";
import { commitReservation } from "../app/commit-reservation.ts";
import { expireReservations } from "../app/expire-reservations.ts";
import { fulfilOrder } from "../app/fulfil-order.ts";
import { pinReservation } from "../app/pin-reservation.ts";
import { releaseReservation } from "../app/release-reservation.ts";
import { reserveItems } from "../app/reserve-items.ts";
import { restockProduct } from "../app/restock-product.ts";
import {
  ReservationClosedError,
  ReservationDiffersError,
  ReservationNotFoundError,
  type ReservationState,
} from "../domain/reservation.ts";
import { type Item, StockShortError } from "../domain/stock.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { createProductRepository } from "./product-repository.ts";
import { createReservationRepository } from "./reservation-repository.ts";

const productIds = ["burr-grinder", "espresso-beans", "moka-pot"];
const ttlMs = 1_000;

type Step =
  | { readonly kind: "reserve" | "pin"; readonly order: number; readonly items: readonly Item[] }
  | { readonly kind: "release" | "commit" | "fulfil" | "cancel"; readonly order: number }
  | { readonly kind: "expire"; readonly afterMs: number }
  | { readonly kind: "restock"; readonly productId: string; readonly quantity: number };

const order = fc.nat(4);
const productId = fc.constantFrom(...productIds);
// In any order: the locks must be taken in one order all the same.
const items = fc.uniqueArray(fc.record({ productId, quantity: fc.integer({ min: 1, max: 4 }) }), {
  selector: (item) => item.productId,
  minLength: 1,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("reserve" as const), order, items }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pin" as const), order, items }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom("release", "commit", "fulfil", "cancel" as const), order }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("expire" as const), afterMs: fc.nat(2 * ttlMs) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("restock" as const),
      productId,
      quantity: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
const clients = fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 8 });
const startStock = fc.tuple(fc.nat(10), fc.nat(10), fc.nat(10));

// Locks that are taken in a circle would show as an error, since the test's store doesn't try a deadlock again.
describe("any interleaving of reserve, pin, release, commit, cancel, expire and restock", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  it("keeps the books: reserved is the sum of open reservations, no unit appears or vanishes, and the news are true", async () => {
    await fc.assert(
      fc.asyncProperty(startStock, clients, async (stock, clients) => {
        await fill(database, stock);
        const restocked = await run(database, clients);
        for (const [i, entry] of (await books(database)).entries()) {
          const { productId, stock: inHouse, reserved, open, sold } = entry;
          expect(reserved, `${productId}: reserved`).toBe(open);
          expect(inHouse + sold, `${productId}: in the house and sold`).toBe(
            (stock[i] ?? 0) + (restocked.get(productId) ?? 0),
          );
        }
        for (const { state, news } of await lastNews(database)) expect(news, state).toBeOneOf(newsOf[state]);
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  /** Runs the clients at once, each step after step. The domain may refuse a step; any other error fails the run. */
  async function run({ store }: TestDatabase, clients: readonly (readonly Step[])[]): Promise<Map<string, number>> {
    const reservations = createReservationRepository(store);
    const products = createProductRepository(store);
    const orders = Array.from({ length: 5 }, () => randomUUID());
    const restocked = new Map<string, number>();
    let time = Date.now();
    const now = () => new Date(time);
    const { signal } = new AbortController();
    const logger: Logger = { ...silentLogger, error: (fields) => void failed.push(fields) };
    const failed: object[] = [];
    const expire = expireReservations({ reservations, logger, now, pauseMs: () => 0 });

    async function take(step: Step): Promise<void> {
      const orderId = orders["order" in step ? step.order : 0] ?? "";
      switch (step.kind) {
        case "reserve":
          await reserveItems(reservations, now, ttlMs)({ orderId, items: step.items });
          return;
        case "pin":
          await pinReservation(reservations, now)({ orderId, items: step.items });
          return;
        case "release":
          await releaseReservation(reservations)(orderId);
          return;
        case "commit":
          await commitReservation(reservations)(orderId);
          return;
        case "fulfil":
          await fulfilOrder(reservations, now)(orderId);
          return;
        case "cancel":
          await cancelReservation(reservations, now)(orderId);
          return;
        case "expire":
          time += step.afterMs;
          await expire(signal);
          return;
        case "restock":
          await restockProduct(products)(step.productId, step.quantity);
          restocked.set(step.productId, (restocked.get(step.productId) ?? 0) + step.quantity);
      }
    }

    const ends = await Promise.allSettled(
      clients.map(async (steps) => {
        for (const step of steps) {
          try {
            await take(step);
          } catch (error) {
            if (!refusals.some((refusal) => error instanceof refusal)) throw error;
          }
        }
      }),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    expect(failed, "what could not be freed").toEqual([]);
    return restocked;
  }
});

/** What a reservation's last event may be; a cancelled order may never have had one, or none since it expired. */
const newsOf: Readonly<Record<ReservationState["kind"], readonly (string | null)[]>> = {
  held: [StockReserved.subject],
  pinned: [StockReserved.subject],
  expired: [StockReserved.subject],
  committed: [StockCommitted.subject],
  released: [StockReleased.subject, StockReserved.subject, null],
};

const refusals = [StockShortError, ReservationClosedError, ReservationDiffersError, ReservationNotFoundError];

async function fill({ store }: TestDatabase, stock: readonly number[]): Promise<void> {
  await sql`TRUNCATE reservations, weft.outbox, weft.outbox_keys, weft.outbox_pending`.execute(store.db);
  for (const [i, id] of productIds.entries()) {
    await store.db
      .updateTable("products")
      .set({ stock: stock[i] ?? 0, reserved: 0 })
      .where("id", "=", id)
      .execute();
  }
}

interface Entry {
  readonly productId: string;
  readonly stock: number;
  readonly reserved: number;
  readonly open: number;
  readonly sold: number;
}

/** What products say of themselves beside what the reservations say of them. */
async function books({ store }: TestDatabase): Promise<readonly Entry[]> {
  const { rows } = await sql<Entry>`
    SELECT p.id AS "productId", p.stock, p.reserved,
           coalesce(sum(i.quantity) FILTER (WHERE r.state IN ('held', 'pinned')), 0)::integer AS open,
           coalesce(sum(i.quantity) FILTER (WHERE r.state = 'committed'), 0)::integer AS sold
    FROM products p
    LEFT JOIN (reservations r CROSS JOIN jsonb_to_recordset(r.items) AS i ("productId" text, quantity integer))
      ON i."productId" = p.id
    WHERE p.id = ANY (${productIds}::text[])
    GROUP BY p.id ORDER BY p.id
  `.execute(store.db);
  return rows;
}

async function lastNews({
  store,
}: TestDatabase): Promise<readonly { readonly state: ReservationState["kind"]; readonly news: string | null }[]> {
  const { rows } = await sql<{ state: ReservationState["kind"]; news: string | null }>`
    SELECT state, (
      SELECT subject FROM weft.outbox WHERE key = order_id::text ORDER BY key_seq DESC LIMIT 1
    ) AS news FROM reservations
  `.execute(store.db);
  return rows;
}

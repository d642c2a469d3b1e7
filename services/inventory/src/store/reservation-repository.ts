import type { Store } from "@weft/store";
import { type Selectable, sql, type Transaction } from "kysely";
import type { Reservations } from "../app/reservations.ts";
import { ProductNotFoundError } from "../domain/product.ts";
import type { Reservation, ReservationState } from "../domain/reservation.ts";
import { move, StockShortError } from "../domain/stock.ts";
import type { Transition } from "../domain/transitions.ts";
import { keepStock, lockProducts } from "./product-repository.ts";
import type { InventoryDatabase, ReservationsTable } from "./schema.ts";
import { publishNews } from "./stock-events.ts";

/** Part of the text and no parameter: for a prepared statement the index of held ones is of use only then. */
const held = sql.lit<ReservationState["kind"]>("held");

export function createReservationRepository(store: Store<InventoryDatabase>): Reservations {
  return {
    change(orderId, step) {
      return store.within(async (tx) => {
        const current = await lockReservation(tx, orderId);
        const transition = step(current);
        if (transition.otherwise === undefined) return make(tx, current, transition);
        try {
          // A transaction within this one: what a refused move leaves of itself is undone.
          return await store.transaction((inner) => make(inner, current, transition));
        } catch (error) {
          const refused = error instanceof StockShortError || error instanceof ProductNotFoundError;
          if (refused) return make(tx, current, transition.otherwise);
          throw error;
        }
      });
    },

    async due(now, limit) {
      const rows = await store.db
        .selectFrom("reservations")
        .select(["order_id", "expiry_attempts"])
        .where("state", "=", held)
        .where("expires_at", "<=", now)
        .where((row) => row.or([row("postponed_until", "is", null), row("postponed_until", "<=", now)]))
        .orderBy("expires_at")
        .limit(limit)
        // One that somebody keeps locked would cost each sweep a wait.
        .forNoKeyUpdate()
        .skipLocked()
        .execute();
      return rows.map((row) => ({ orderId: row.order_id, attempt: row.expiry_attempts + 1 }));
    },

    async postpone({ orderId, attempt }, until) {
      const query = store.db.updateTable("reservations").set({ expiry_attempts: attempt, postponed_until: until });
      await query.where("order_id", "=", orderId).where("state", "=", held).execute();
    },
  };
}

/** Keeps these locks apart from other advisory locks of the database. */
const orderLocks = 0x0de7;

/**
 * What is kept for the order, with the order locked until the transaction ends: by an advisory lock, since there may be no
 * row yet. It comes before the locks of products everywhere, and a transaction takes only one.
 */
async function lockReservation(tx: Transaction<InventoryDatabase>, orderId: string): Promise<Reservation | undefined> {
  await sql`SELECT pg_advisory_xact_lock(${orderLocks}, hashtext(${orderId}))`.execute(tx);
  const row = await tx.selectFrom("reservations").selectAll().where("order_id", "=", orderId).executeTakeFirst();
  return row && toReservation(row);
}

/**
 * Makes it so. The stock comes last: many orders want the same product, and wait for its lock no longer than for one
 * update and the commit. Throws StockShortError, ProductNotFoundError.
 */
async function make(
  tx: Transaction<InventoryDatabase>,
  current: Reservation | undefined,
  { reservation, news, move: kind }: Transition,
): Promise<Reservation> {
  if (reservation !== current) await keepReservation(tx, reservation);
  if (news) await publishNews(reservation, news);
  if (kind) {
    const { items } = reservation;
    const ids = items.map(({ productId }) => productId);
    await keepStock(tx, move(await lockProducts(tx, ids), items, kind));
  }
  return reservation;
}

async function keepReservation(tx: Transaction<InventoryDatabase>, reservation: Reservation): Promise<void> {
  const { orderId, items, state, expiresAt } = reservation;
  const kept = {
    state: state.kind,
    release_cause: state.kind === "released" ? state.cause : null,
    expires_at: expiresAt,
    expiry_attempts: 0,
    postponed_until: null,
  };
  await tx
    .insertInto("reservations")
    .values({ order_id: orderId, items: JSON.stringify(items), ...kept })
    .onConflict((conflict) => conflict.column("order_id").doUpdateSet(kept))
    .execute();
}

function toReservation(row: Selectable<ReservationsTable>): Reservation {
  return { orderId: row.order_id, items: row.items, state: toState(row), expiresAt: row.expires_at };
}

function toState({ state, release_cause }: Selectable<ReservationsTable>): ReservationState {
  if (state !== "released") return { kind: state };
  // A CHECK constraint says that it is there.
  return { kind: state, cause: release_cause ?? "requested" };
}

import type { Store } from "@weft/store";
import { type Selectable, sql, type Transaction } from "kysely";
import type { Reservations } from "../app/reservations.ts";
import { type Product, ProductNotFoundError } from "../domain/product.ts";
import type { Reservation, ReservationState } from "../domain/reservation.ts";
import { move, StockShortError } from "../domain/stock.ts";
import type { Transition } from "../domain/transitions.ts";
import { keepStock, lockProducts } from "./product-repository.ts";
import type { InventoryDatabase, ReservationsTable } from "./schema.ts";
import { publishNews } from "./stock-events.ts";

export function createReservationRepository(store: Store<InventoryDatabase>): Reservations {
  return {
    change(orderId, step) {
      return store.transaction(async (tx) => {
        const current = await lockReservation(tx, orderId);
        const { reservation, news } = await moveStock(tx, step(current));
        if (reservation !== current) await keepReservation(tx, reservation);
        if (news) await publishNews(reservation, news);
        return reservation;
      });
    },

    async due(now, limit) {
      const query = store.db.selectFrom("reservations").select("order_id");
      const overdue = query.where("state", "=", "held").where("expires_at", "<=", now);
      const rows = await overdue.orderBy("expires_at").limit(limit).execute();
      return rows.map((row) => row.order_id);
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

/** Makes the transition's move, and resolves with the transition; or with its way out, when the stock doesn't allow the move. */
async function moveStock(tx: Transaction<InventoryDatabase>, transition: Transition): Promise<Transition> {
  const { move: kind, otherwise } = transition;
  const { items } = transition.reservation;
  if (kind === undefined) return transition;
  const products = await lockProducts(
    tx,
    items.map(({ productId }) => productId),
  );
  let moved: readonly Product[];
  try {
    moved = move(products, items, kind);
  } catch (error) {
    const refused = error instanceof StockShortError || error instanceof ProductNotFoundError;
    if (otherwise && refused) return moveStock(tx, otherwise);
    throw error;
  }
  await keepStock(tx, moved);
  return transition;
}

async function keepReservation(tx: Transaction<InventoryDatabase>, reservation: Reservation): Promise<void> {
  const { orderId, items, state, expiresAt } = reservation;
  const kept = {
    state: state.kind,
    release_cause: state.kind === "released" ? state.cause : null,
    expires_at: expiresAt,
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

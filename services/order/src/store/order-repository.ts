import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { OrderCreated, OrderStatusChanged, OrderStatus as WireStatus } from "@shop/contracts/order";
import { publish } from "@weft/events";
import { notifyOnCommit, type Store } from "@weft/store";
import { sql, type Transaction } from "kysely";
import type { Orders, PlacedOrder } from "../app/orders.ts";
import { isRepeat, type Order, OrderNotFoundError } from "../domain/order.ts";
import { KeyReusedError } from "../domain/refusals.ts";
import { toOrder, toRow } from "./rows.ts";
import { changesChannel, type OrderDatabase } from "./schema.ts";

type Tx = Transaction<OrderDatabase>;

export function createOrderRepository(store: Store<OrderDatabase>): Orders {
  return {
    add(placed) {
      return store.transaction(async (tx) => {
        const { order } = placed;
        if (!(await insertWithTimer(tx, placed))) return placedBefore(tx, order);
        await publish(OrderCreated, {
          orderId: order.id,
          userId: order.userId,
          items: order.items.map((item) => ({ ...item })),
          total: order.total,
          paymentToken: placed.paymentToken,
          createdAt: timestampFromDate(order.createdAt),
        });
        return order;
      });
    },

    change(id, change) {
      return store.within(async (tx) => {
        const row = await tx.selectFrom("orders").selectAll().where("id", "=", id).forNoKeyUpdate().executeTakeFirst();
        if (!row) throw new OrderNotFoundError(id);
        const before = toOrder(row);
        const after = change(before);
        if (after === before) return before;
        await updateWithHistory(tx, after);
        await publish(OrderStatusChanged, {
          orderId: after.id,
          userId: after.userId,
          previousStatus: WireStatus[before.status],
          status: WireStatus[after.status],
          reason: after.reason,
          changedAt: timestampFromDate(after.updatedAt),
        });
        return after;
      });
    },

    async get(id) {
      const row = await store.db.selectFrom("orders").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toOrder(row);
    },

    async pageOfUser(userId, before, size) {
      let query = store.db
        .selectFrom("orders")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("created_at", "desc")
        .orderBy("id", "desc")
        .limit(size);
      if (before) query = query.where(sql<boolean>`(created_at, id) < (${before.createdAt}, ${before.id})`);
      return (await query.execute()).map(toOrder);
    },
  };
}

/** One statement, so that an order is never without its timer. False when the id is taken. */
async function insertWithTimer(tx: Tx, { order, payBy }: PlacedOrder): Promise<boolean> {
  const timer = await tx
    .with("placed", (db) =>
      db
        .insertInto("orders")
        .values(toRow(order))
        .onConflict((conflict) => conflict.column("id").doNothing())
        .returning("id"),
    )
    .insertInto("order_timers")
    .columns(["order_id", "kind", "due_at"])
    .expression((db) =>
      db
        .selectFrom("placed")
        .select([
          "placed.id",
          sql<"payment_timeout">`'payment_timeout'`.as("kind"),
          sql<Date>`${payBy}::timestamptz`.as("due_at"),
        ]),
    )
    .returning("order_id")
    .executeTakeFirst();
  return timer !== undefined;
}

async function placedBefore(tx: Tx, order: Order): Promise<Order> {
  const row = await tx.selectFrom("orders").selectAll().where("id", "=", order.id).executeTakeFirstOrThrow();
  const placed = toOrder(row);
  if (!isRepeat(order, placed)) throw new KeyReusedError();
  return placed;
}

async function updateWithHistory(tx: Tx, { id, version, status, reason, updatedAt }: Order): Promise<void> {
  await tx
    .with("changed", (db) =>
      db
        .updateTable("orders")
        .set({ version, status, reason, updated_at: updatedAt })
        .where("id", "=", id)
        .returning(["id", "version", "status", "reason", "updated_at"]),
    )
    .insertInto("order_changes")
    .columns(["order_id", "version", "status", "reason", "changed_at"])
    .expression((db) => db.selectFrom("changed").selectAll())
    .execute();
  notifyOnCommit(changesChannel);
}

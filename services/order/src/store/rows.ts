import type { Insertable, Selectable } from "kysely";
import type { Order } from "../domain/order.ts";
import type { OrdersTable } from "./schema.ts";

export function toRow(order: Order): Insertable<OrdersTable> {
  return {
    id: order.id,
    user_id: order.userId,
    items: JSON.stringify(order.items.map((item) => ({ ...item, unitPrice: String(item.unitPrice.minorUnits) }))),
    currency_code: order.total.currencyCode,
    total: String(order.total.minorUnits),
    status: order.status,
    reason: order.reason,
    version: order.version,
    created_at: order.createdAt,
    updated_at: order.updatedAt,
  };
}

export function toOrder(row: Selectable<OrdersTable>): Order {
  const money = (minorUnits: string | bigint) => ({
    currencyCode: row.currency_code,
    minorUnits: BigInt(minorUnits),
  });
  return {
    id: row.id,
    userId: row.user_id,
    items: row.items.map(({ productId, quantity, unitPrice }) => ({
      productId,
      quantity,
      unitPrice: money(unitPrice),
    })),
    total: money(row.total),
    status: row.status,
    reason: row.reason,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

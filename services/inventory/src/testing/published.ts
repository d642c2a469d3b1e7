import { fromBinary } from "@bufbuild/protobuf";
import { StockCommitted, StockReleased, StockReleaseReasonSchema, StockReserved } from "@shop/contracts/inventory";
import { sql } from "kysely";
import type { TestDatabase } from "./database.ts";

/** The events that were published for the order, oldest first, such as "StockReleased EXPIRED: 2 beans". */
export async function published({ store }: TestDatabase, orderId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ subject: string; data: Uint8Array }>`
    SELECT subject, data FROM weft.outbox WHERE key = ${orderId} ORDER BY position
  `.execute(store.db);
  return rows.map(({ subject, data }) => {
    const type = [StockReserved, StockReleased, StockCommitted].find((type) => type.subject === subject);
    if (!type) throw new Error(`${subject} is no event of inventory`);
    const event = fromBinary(type.schema, data);
    const items = event.items.map(({ productId, quantity }) => `${quantity} ${productId}`).join(", ");
    const reason = "reason" in event ? ` ${StockReleaseReasonSchema.value[event.reason]?.localName}` : "";
    return `${type.schema.name}${reason}: ${items}`;
  });
}

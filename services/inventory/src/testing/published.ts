import { StockCommitted, StockReleased, StockReleaseReasonSchema, StockReserved } from "@shop/contracts/inventory";
import * as testkit from "@weft/testkit";
import type { TestDatabase } from "./database.ts";

/** The events that were published for the order, oldest first, such as "StockReleased EXPIRED: 2 beans". */
export async function published({ store }: TestDatabase, orderId: string): Promise<readonly string[]> {
  const events = await testkit.published(store, [StockReserved, StockReleased, StockCommitted], orderId);
  return events.map(({ subject, event }) => {
    const items = event.items.map(({ productId, quantity }) => `${quantity} ${productId}`).join(", ");
    const reason = "reason" in event ? ` ${StockReleaseReasonSchema.value[event.reason]?.localName}` : "";
    return `${subject.replace(/^.*\./, "")}${reason}: ${items}`;
  });
}

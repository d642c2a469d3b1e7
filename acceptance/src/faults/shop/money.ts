import type { ChargeJson, RefundJson } from "../../shop.ts";
import { type EndedOrder, isSold } from "./wish.ts";

/** What the provider took for orders and gave back. */
export interface ProviderBooks {
  readonly charges: readonly ChargeJson[];
  readonly refunds: readonly RefundJson[];
}

/** Where the provider's books aren't what the orders say: one charge for each that is sold, nothing kept for another. */
export function wrongMoney(orders: readonly EndedOrder[], { charges, refunds }: ProviderBooks): readonly string[] {
  const wrong: string[] = [];
  const taken = charges.filter(({ status }) => status === "succeeded");
  for (const { id, final } of orders) {
    const sold = isSold(final.status);
    const ofOrder = <T extends { readonly order_id: string }>(all: readonly T[]): readonly T[] =>
      all.filter(({ order_id }) => order_id === id);
    const times = ofOrder(taken).length;
    if (sold ? times !== 1 : times > 1) wrong.push(`order ${id} is ${final.status} and was charged ${times} times`);
    const kept = amount(ofOrder(taken)) - amount(ofOrder(refunds));
    const owed = sold ? Number(final.total.minorUnits) : 0;
    if (kept !== owed) wrong.push(`order ${id} is ${final.status}: ${kept} minor units kept instead of ${owed}`);
  }
  const known = new Set(orders.map(({ id }) => id));
  for (const { order_id } of taken) if (!known.has(order_id)) wrong.push(`${order_id} was charged and is no order`);
  return wrong;
}

function amount(entries: readonly { readonly amount_minor: number }[]): number {
  return entries.reduce((sum, { amount_minor }) => sum + amount_minor, 0);
}

import type { Money } from "@shop/contracts/money";
import { OrderCreated } from "@shop/contracts/order";
import { type Subscription, subscribe, Unprocessable } from "@weft/events";
import type { Notify } from "../app/notify.ts";

export function onOrderCreated(owe: Notify): Subscription {
  return subscribe(OrderCreated, async ({ orderId, userId, items, total }, { id, occurredAt }) => {
    await owe(
      { id, userId, occurredAt },
      {
        kind: "order_received",
        orderId,
        items: items.map(({ productId, quantity, unitPrice }) => ({
          productId,
          quantity,
          unitPrice: amount(unitPrice),
        })),
        total: amount(total),
      },
    );
  });
}

function amount(money: Money | undefined) {
  if (!money) throw new Unprocessable("OrderCreated lacks an amount that its contract has");
  return { currencyCode: money.currencyCode, minorUnits: money.minorUnits };
}

import { OrderStatusChanged, OrderStatus as Status } from "@shop/contracts/order";
import { type Subscription, subscribe } from "@weft/events";
import type { Notify } from "../app/notify.ts";
import type { OrderStatus } from "../domain/mail.ts";

const told: Readonly<Partial<Record<Status, OrderStatus>>> = {
  [Status.CONFIRMED]: "confirmed",
  [Status.SHIPPED]: "shipped",
  [Status.DELIVERED]: "delivered",
  [Status.CANCELLED]: "cancelled",
};

export function onOrderStatusChanged(owe: Notify): Subscription {
  return subscribe(OrderStatusChanged, async ({ orderId, userId, status, reason }, { id, occurredAt }) => {
    const outcome = told[status];
    if (outcome) await owe({ id, userId, occurredAt }, { kind: "order_status", orderId, status: outcome, reason });
  });
}

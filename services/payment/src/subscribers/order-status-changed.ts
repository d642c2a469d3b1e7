import { OrderStatus, OrderStatusChanged } from "@shop/contracts/order";
import { type Subscription, subscribe } from "@weft/events";
import type { cancelOrderPayment } from "../app/cancel-payment.ts";

export function onOrderStatusChanged(cancel: ReturnType<typeof cancelOrderPayment>): Subscription {
  return subscribe(OrderStatusChanged, async ({ orderId, userId, status }) => {
    if (status === OrderStatus.CANCELLED) await cancel({ orderId, userId });
  });
}

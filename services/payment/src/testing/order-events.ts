import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { OrderCreatedSchema, OrderStatus, OrderStatusChangedSchema } from "@shop/contracts/order";
import type { Delivery, Subscription } from "@weft/events";
import type { RunningPayment } from "./running-payment.ts";

/** An order's events, consumed as the inbox would: each in a transaction of its own. */
export function orderEvents(payment: RunningPayment) {
  const consume = ({ handler }: Subscription, event: Parameters<Subscription["handler"]>[0], orderId: string) =>
    payment.store.transaction(() => handler(event, deliveryOf(orderId)));
  return {
    created(
      orderId: string,
      { token = "tok_visa", minorUnits = 1250n, userId = userIdOf(orderId) } = {},
    ): Promise<void> {
      const event = create(OrderCreatedSchema, {
        orderId,
        userId,
        total: { currencyCode: "USD", minorUnits },
        paymentToken: token,
      });
      return consume(payment.subscriptions.orderCreated, event, orderId);
    },
    changed(orderId: string, status: OrderStatus): Promise<void> {
      const event = create(OrderStatusChangedSchema, {
        orderId,
        userId: userIdOf(orderId),
        previousStatus: OrderStatus.PENDING,
        status,
      });
      return consume(payment.subscriptions.orderStatusChanged, event, orderId);
    },
    cancelled(orderId: string): Promise<void> {
      return this.changed(orderId, OrderStatus.CANCELLED);
    },
  };
}

export function userIdOf(orderId: string): string {
  return `${orderId.slice(0, -4)}0000`;
}

export function deliveryOf(orderId: string): Delivery {
  return {
    id: randomUUID(),
    subject: "shop.order.v1",
    key: orderId,
    keySeq: 1n,
    correlationId: "test",
    occurredAt: new Date(),
    attempt: 1,
    signal: new AbortController().signal,
  };
}

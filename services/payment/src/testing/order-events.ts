import { OrderCreatedSchema, OrderStatus, OrderStatusChangedSchema } from "@shop/contracts/order";
import { deliver } from "@weft/testkit";
import type { RunningPayment } from "./running-payment.ts";

/** An order's events, consumed as the inbox would: each in a transaction of its own. */
export function orderEvents(payment: RunningPayment) {
  return {
    async created(
      orderId: string,
      { token = "tok_visa", minorUnits = 1250n, userId = userIdOf(orderId) } = {},
    ): Promise<void> {
      const total = { currencyCode: "USD", minorUnits };
      await deliver(payment, OrderCreatedSchema, { orderId, userId, total, paymentToken: token });
    },
    async changed(orderId: string, status: OrderStatus): Promise<void> {
      const userId = userIdOf(orderId);
      const previousStatus = OrderStatus.PENDING;
      await deliver(payment, OrderStatusChangedSchema, { orderId, userId, previousStatus, status });
    },
    cancelled(orderId: string): Promise<void> {
      return this.changed(orderId, OrderStatus.CANCELLED);
    },
  };
}

export function userIdOf(orderId: string): string {
  return `${orderId.slice(0, -4)}0000`;
}

import { OrderStatus, OrderStatusChanged } from "@shop/contracts/order";
import { type Subscription, subscribe } from "@weft/events";
import type { Logger } from "@weft/telemetry";
import { cancelReservation } from "../app/cancel-reservation.ts";
import { fulfilOrder } from "../app/fulfil-order.ts";
import type { Reservations } from "../app/reservations.ts";

export interface OrderStatusChangedParts {
  readonly reservations: Reservations;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** A paid order takes its stock for good, a cancelled one gives it back; other changes of an order don't touch the stock. */
export function onOrderStatusChanged({ reservations, now, logger }: OrderStatusChangedParts): Subscription {
  const fulfil = fulfilOrder(reservations, now);
  const cancel = cancelReservation(reservations, now);
  return subscribe(OrderStatusChanged, async ({ orderId, status }) => {
    if (status === OrderStatus.CANCELLED) await cancel(orderId);
    if (status !== OrderStatus.CONFIRMED) return;
    const { state } = await fulfil(orderId);
    if (state.kind === "released") logger.warn({ orderId, cause: state.cause }, "a paid order can't be filled");
  });
}

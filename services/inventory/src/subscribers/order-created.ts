import { OrderCreated } from "@shop/contracts/order";
import { type Subscription, subscribe } from "@weft/events";
import type { Logger } from "@weft/telemetry";
import { pinReservation } from "../app/pin-reservation.ts";
import type { Reservations } from "../app/reservations.ts";

export interface OrderCreatedParts {
  readonly reservations: Reservations;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** The order exists: what is reserved for it no longer expires. */
export function onOrderCreated({ reservations, now, logger }: OrderCreatedParts): Subscription {
  const pin = pinReservation(reservations, now);
  return subscribe(OrderCreated, async ({ orderId, items }) => {
    const { state } = await pin({ orderId, items });
    if (state.kind === "released") logger.warn({ orderId, cause: state.cause }, "an order came that can't be filled");
  });
}

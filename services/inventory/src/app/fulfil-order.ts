import type { Reservation } from "../domain/reservation.ts";
import { fulfil } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

/** The order was paid. The result says whether it can be filled: committed, or released. */
export function fulfilOrder(reservations: Reservations, now: () => Date) {
  return (orderId: string): Promise<Reservation> =>
    reservations.change(orderId, (current) => fulfil(current, orderId, now()));
}

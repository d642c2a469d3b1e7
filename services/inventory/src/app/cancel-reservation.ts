import type { Reservation } from "../domain/reservation.ts";
import { cancel } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

/** The order was cancelled, whatever had become of its stock. */
export function cancelReservation(reservations: Reservations, now: () => Date) {
  return (orderId: string): Promise<Reservation> =>
    reservations.change(orderId, (current) => cancel(current, orderId, now()));
}

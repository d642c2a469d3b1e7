import { type Reservation, ReservationNotFoundError } from "../domain/reservation.ts";
import { commit } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

/** Sells what is set aside. Throws ReservationNotFoundError, ReservationClosedError. */
export function commitReservation(reservations: Reservations) {
  return (orderId: string): Promise<Reservation> =>
    reservations.change(orderId, (current) => {
      if (!current) throw new ReservationNotFoundError(`nothing is reserved for order ${orderId}`);
      return commit(current);
    });
}

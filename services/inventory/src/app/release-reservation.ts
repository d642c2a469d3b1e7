import { type Reservation, ReservationNotFoundError } from "../domain/reservation.ts";
import { release } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

/** Gives the stock back; `productId`, where given, must be among it. Throws ReservationNotFoundError, ReservationClosedError. */
export function releaseReservation(reservations: Reservations) {
  return (orderId: string, productId?: string): Promise<Reservation> =>
    reservations.change(orderId, (current) => {
      if (!current) throw new ReservationNotFoundError(`nothing is reserved for order ${orderId}`);
      if (productId !== undefined && !current.items.some((item) => item.productId === productId)) {
        throw new ReservationNotFoundError(`no ${productId} is reserved for order ${orderId}`);
      }
      return release(current);
    });
}

import type { Reservation } from "../domain/reservation.ts";
import type { Item } from "../domain/stock.ts";
import { pin } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

/** The order was created. The result says whether it can be filled: pinned, or released. */
export function pinReservation(reservations: Reservations, now: () => Date) {
  return (order: { readonly orderId: string; readonly items: readonly Item[] }): Promise<Reservation> =>
    reservations.change(order.orderId, (current) => pin(current, order, now()));
}

import type { Reservation } from "../domain/reservation.ts";
import type { Item } from "../domain/stock.ts";
import { reserve } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

export interface ReserveItems {
  readonly orderId: string;
  readonly items: readonly Item[];
}

/**
 * Holds all items for `ttlMs`, or none; a repeat answers the same reservation.
 * Throws ProductNotFoundError, StockShortError, ReservationDiffersError, ReservationClosedError.
 */
export function reserveItems(reservations: Reservations, now: () => Date, ttlMs: number) {
  return (command: ReserveItems): Promise<Reservation> =>
    reservations.change(command.orderId, (current) => reserve(current, command, now(), ttlMs));
}

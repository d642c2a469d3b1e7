import type { Reservation } from "../domain/reservation.ts";
import type { Transition } from "../domain/transitions.ts";

/** Where reservations are kept. */
export interface Reservations {
  /**
   * Locks the order, lets `step` decide, and makes it so: reservation, stock and event are one transaction, which joins
   * the one that runs already. Orders wait for each other only where they want the same product.
   * Throws ProductNotFoundError and StockShortError (nothing is changed then), and what `step` throws.
   */
  change(orderId: string, step: (current: Reservation | undefined) => Transition): Promise<Reservation>;
  /** The orders of held reservations whose time has come, longest overdue first. */
  due(now: Date, limit: number): Promise<readonly string[]>;
}

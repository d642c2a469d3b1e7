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
  /**
   * Held reservations whose time has come and whose next attempt is due, longest overdue first. Leaves out what somebody is
   * changing.
   */
  due(now: Date, limit: number): Promise<readonly Overdue[]>;
  /** An attempt at one that was due failed: it isn't due again before `until`. */
  postpone(overdue: Overdue, until: Date): Promise<void>;
}

/** A held reservation whose time has come. */
export interface Overdue {
  readonly orderId: string;
  /** 1 at the first attempt to free its stock. */
  readonly attempt: number;
}

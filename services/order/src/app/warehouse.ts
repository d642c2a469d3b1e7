import type { Quote, Wish } from "../domain/availability.ts";

/** What can be sold, at which price, and the stock that is held for orders. */
export interface Warehouse {
  /** Throws ProductNotFoundError and PeerAwayError. */
  quote(wishes: readonly Wish[]): Promise<readonly Quote[]>;
  /**
   * Holds stock for an order, all of it or none, for a while: what no order claims goes back by itself. A repeat for the
   * same order holds nothing more. Throws OutOfStockError, ProductNotFoundError, PeerAwayError, and KeyReusedError when the
   * order has a reservation of other items.
   */
  reserve(orderId: string, wishes: readonly Wish[]): Promise<void>;
}

/** What the order service says of an order now. */
export interface Orders {
  /** Rejects when it can't be asked or doesn't know the order. */
  standing(orderId: string): Promise<OrderStanding>;
}

/** Only a pending order is to be charged. `other`: it went on without a payment of ours, which it should not have. */
export type OrderStanding = "pending" | "cancelled" | "other";

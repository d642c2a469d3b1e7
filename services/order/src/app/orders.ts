import type { Order } from "../domain/order.ts";

/** Where orders are kept. Each change and the event that tells of it are one transaction. */
export interface Orders {
  /**
   * Keeps a new order, and the timer that ends its wait for a payment. When its id is taken by the same order, placed
   * before, that one is returned and nothing changes. Throws KeyReusedError when it is taken by another.
   */
  add(placed: PlacedOrder): Promise<Order>;
  /**
   * Locks the order, applies `change` and keeps the result; the same object back means no change. Throws
   * OrderNotFoundError, and what `change` throws.
   */
  change(id: string, change: (order: Order) => Order): Promise<Order>;
  get(id: string): Promise<Order | undefined>;
  /** A user's orders before the cursor, newest first. */
  pageOfUser(userId: string, before: OrderCursor | undefined, size: number): Promise<readonly Order[]>;
}

export interface PlacedOrder {
  readonly order: Order;
  /**
   * What the payment provider charges: a token for one charge, no card data. No order has it; OrderCreated tells it to the
   * payment service, and so it is in the outbox for as long as that keeps what was sent, and in the stream.
   */
  readonly paymentToken: string;
  /** When the order is cancelled if nobody paid. */
  readonly payBy: Date;
}

/** A place in a list of orders. */
export interface OrderCursor {
  readonly createdAt: Date;
  readonly id: string;
}

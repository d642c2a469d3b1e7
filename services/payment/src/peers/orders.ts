import type { Client } from "@connectrpc/connect";
import { type OrderService, OrderStatus } from "@shop/contracts/order";
import type { Orders } from "../app/orders.ts";

/** The order service, through its generated client, whose contract has the deadline, retries and circuit. */
export function createOrders(client: Pick<Client<typeof OrderService>, "getOrder">): Orders {
  return {
    async standing(orderId) {
      const { order } = await client.getOrder({ orderId });
      switch (order?.status) {
        case OrderStatus.PENDING:
          return "pending";
        case OrderStatus.CANCELLED:
          return "cancelled";
        default:
          return "other";
      }
    },
  };
}

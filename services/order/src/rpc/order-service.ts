import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { CreateOrderResponseSchema, type OrderSchema, OrderService, orderServicePolicies } from "@shop/contracts/order";
import { currentCall } from "@weft/context";
import { creationPageTokens, type ServedService, serve, storeResponse } from "@weft/service";
import { cancelOrder } from "../app/cancel-order.ts";
import { type CreateOrderParts, createOrder } from "../app/create-order.ts";
import { getOrder, getOrderWithUser } from "../app/find-order.ts";
import { listOrdersByUser } from "../app/list-orders.ts";
import { updateOrderStatus } from "../app/update-order-status.ts";
import { type OrderFeed, watchOrder } from "../app/watch-order.ts";
import type { Order } from "../domain/order.ts";
import { orderMessage, statusOf, userMessage } from "./messages.ts";
import { answering, toStatus } from "./status.ts";

export interface OrderServiceParts extends CreateOrderParts {
  readonly feed: OrderFeed;
}

export function serveOrders(parts: OrderServiceParts): ServedService {
  const { orders, customers, feed, now } = parts;
  const create = createOrder(parts);
  const get = getOrder(orders);
  const getWithUser = getOrderWithUser(orders, customers);
  const list = listOrdersByUser(orders);
  const update = updateOrderStatus(orders, now);
  const cancel = cancelOrder(orders, now);
  const watch = watchOrder(orders, feed);

  const implementation: ServiceImpl<typeof OrderService> = {
    createOrder: ({ userId, items, paymentToken }) =>
      answering(() =>
        storeResponse(CreateOrderResponseSchema, asOrder, () =>
          create({
            userId: userId.toLowerCase(),
            items: items.map(({ productId, quantity }) => ({ productId, quantity })),
            paymentToken,
            key: currentCall()?.idempotencyKey,
          }),
        ),
      ),
    getOrder: ({ orderId }) => answering(async () => asOrder(await get(orderId))),
    getOrderWithUser: ({ orderId }) =>
      answering(async () => {
        const { order, user } = await getWithUser(orderId);
        return { ...asOrder(order), user: userMessage(user) };
      }),
    listOrdersByUser: ({ userId, pageSize, pageToken }) =>
      answering(async () => {
        const page = await list(userId, creationPageTokens.cursorOf(pageToken), pageSize || 20);
        return { orders: page.orders.map(orderMessage), nextPageToken: creationPageTokens.tokenOf(page.next) };
      }),
    updateOrderStatus: ({ orderId, status, reason }) =>
      answering(async () => asOrder(await update(orderId, required(statusOf(status)), reason))),
    cancelOrder: ({ orderId, reason }) => answering(async () => asOrder(await cancel(orderId, reason))),
    async *watchOrder({ orderId }, context) {
      // The call's own signal also knows its deadline; the context's only that the caller left.
      const signal = currentCall()?.signal ?? context.signal;
      try {
        for await (const order of watch(orderId, signal)) yield asOrder(order);
      } catch (error) {
        throw toStatus(error);
      }
    },
  };
  return serve(OrderService, orderServicePolicies, implementation);
}

/** The contract's rules let nothing else through to the handler. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("a state that the contract does not name");
  return value;
}

function asOrder(order: Order): { order: MessageInitShape<typeof OrderSchema> } {
  return { order: orderMessage(order) };
}

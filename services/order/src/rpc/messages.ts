import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OrderSchema, OrderStatus as WireStatus } from "@shop/contracts/order";
import { type UserSchema, UserStatus } from "@shop/contracts/user";
import type { Customer } from "../app/customers.ts";
import type { Order } from "../domain/order.ts";
import { type OrderStatus, orderStatuses } from "../domain/order-status.ts";

export function orderMessage(order: Order): MessageInitShape<typeof OrderSchema> {
  return {
    id: order.id,
    userId: order.userId,
    items: order.items.map((item) => ({ ...item })),
    total: order.total,
    status: WireStatus[order.status],
    reason: order.reason,
    createdAt: timestampFromDate(order.createdAt),
    updatedAt: timestampFromDate(order.updatedAt),
    version: order.version,
  };
}

export function userMessage(user: Customer): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    status: user.status === "active" ? UserStatus.ACTIVE : UserStatus.DELETED,
    ...(user.createdAt && { createdAt: timestampFromDate(user.createdAt) }),
    ...(user.updatedAt && { updatedAt: timestampFromDate(user.updatedAt) }),
  };
}

/** Undefined for a number that is no state. */
export function statusOf(status: WireStatus): OrderStatus | undefined {
  return orderStatuses.find((name) => WireStatus[name] === status);
}

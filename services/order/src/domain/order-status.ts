export const orderStatuses = ["PENDING", "CONFIRMED", "SHIPPED", "DELIVERED", "CANCELLED"] as const;

export type OrderStatus = (typeof orderStatuses)[number];

/** What each state can become. A state that can become nothing is final. */
const successors: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  PENDING: ["CONFIRMED", "CANCELLED"],
  CONFIRMED: ["SHIPPED", "CANCELLED"],
  SHIPPED: ["DELIVERED"],
  DELIVERED: [],
  CANCELLED: [],
};

export function canBecome(from: OrderStatus, to: OrderStatus): boolean {
  return successors[from].includes(to);
}

export function isFinal(status: OrderStatus): boolean {
  return successors[status].length === 0;
}

/** Throws TransitionRefusedError. */
export function requireTransition(orderId: string, from: OrderStatus, to: OrderStatus): void {
  if (!canBecome(from, to)) throw new TransitionRefusedError(orderId, from, to);
}

export class TransitionRefusedError extends Error {
  override readonly name = "TransitionRefusedError";
  constructor(orderId: string, from: OrderStatus, to: OrderStatus) {
    const allowed = isFinal(from) ? `${from} is final` : `from ${from} it can become ${successors[from].join(" or ")}`;
    super(`order ${orderId} is ${from} and can't become ${to}: ${allowed}`);
  }
}

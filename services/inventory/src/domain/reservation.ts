import type { Item } from "./stock.ts";

/** Stock that is set aside for one order. */
export interface Reservation {
  readonly orderId: string;
  /** Empty where the order was cancelled before anything was reserved for it. */
  readonly items: readonly Item[];
  readonly state: ReservationState;
  /** When a held one may expire; a repeat of the request moves it on once it has passed. */
  readonly expiresAt: Date;
}

/**
 * - `held`: until it expires.
 * - `pinned`: the order exists, so it no longer expires.
 * - `committed`: sold.
 * - `expired`: its stock was freed, and may be retaken.
 * - `released`: for good. The cause says who gave it up.
 */
export type ReservationState =
  | { readonly kind: "held" | "pinned" | "committed" | "expired" }
  | { readonly kind: "released"; readonly cause: ReleaseCause };

/** `expired`: the stock was gone when the order came. */
export type ReleaseCause = "requested" | "expired" | "orderCancelled";

/** What the shop hears of a reservation. */
export type News =
  | { readonly kind: "reserved" | "committed" }
  | { readonly kind: "released"; readonly cause: ReleaseCause };

export function openReservation(orderId: string, items: readonly Item[], expiresAt: Date): Reservation {
  const plain = items.map(({ productId, quantity }) => ({ productId, quantity }));
  return { orderId, items: plain, state: { kind: "held" }, expiresAt };
}

export class ReservationNotFoundError extends Error {
  override readonly name = "ReservationNotFoundError";
}

/** Other items are reserved for the order. */
export class ReservationDiffersError extends Error {
  override readonly name = "ReservationDiffersError";
  constructor(orderId: string) {
    super(`other items are reserved for order ${orderId}: an order's reservation never changes its items`);
  }
}

/** The reservation's state doesn't allow it. */
export class ReservationClosedError extends Error {
  override readonly name = "ReservationClosedError";
  constructor({ orderId, state }: Reservation) {
    super(`the reservation of order ${orderId} ${ending(state)}`);
  }
}

function ending(state: ReservationState): string {
  switch (state.kind) {
    case "released":
      return releases[state.cause];
    case "committed":
      return "was committed: its stock is sold";
    case "expired":
      return "has expired: reserve its items again";
    default:
      return `is ${state.kind}`;
  }
}

const releases: Readonly<Record<ReleaseCause, string>> = {
  requested: "was released",
  expired: "was given up: its stock was gone when the order came",
  orderCancelled: "is closed: the order was cancelled",
};

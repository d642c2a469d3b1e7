import {
  type News,
  openReservation,
  type ReleaseCause,
  type Reservation,
  ReservationClosedError,
  ReservationDiffersError,
  type ReservationState,
} from "./reservation.ts";
import { type Item, type StockMove, sameItems } from "./stock.ts";

/** One step of a reservation: what becomes of it, of the stock of its items, and what is told. */
export interface Transition {
  readonly reservation: Reservation;
  readonly move?: StockMove;
  readonly news?: News;
  /** What happens instead when the stock doesn't allow the move; without it the step is refused. */
  readonly otherwise?: Transition;
}

/** Holds the items: anew, again after they expired, or, on a repeat, still. Throws ReservationDiffersError, ReservationClosedError. */
export function reserve(
  current: Reservation | undefined,
  wanted: { readonly orderId: string; readonly items: readonly Item[] },
  now: Date,
  ttlMs: number,
): Transition {
  const fresh = openReservation(wanted.orderId, wanted.items, new Date(now.getTime() + ttlMs));
  if (current === undefined) return { reservation: fresh, move: "hold", news: { kind: "reserved" } };
  // Before the items: a cancelled order has none, and is refused whatever is asked for it.
  if (current.state.kind === "released") throw new ReservationClosedError(current);
  if (!sameItems(current.items, wanted.items)) throw new ReservationDiffersError(current.orderId);
  switch (current.state.kind) {
    case "held":
      // Not swept yet: its stock is still set aside, and the caller gets the time it asked for.
      return { reservation: current.expiresAt <= now ? fresh : current };
    case "expired":
      return { reservation: fresh, move: "hold", news: { kind: "reserved" } };
    case "pinned":
    case "committed":
      return { reservation: current };
  }
}

/** A held one whose time has come gives its stock back. Nobody is told: an order that comes all the same retakes it. */
export function expire(current: Reservation, now: Date): Transition {
  if (current.state.kind !== "held" || current.expiresAt > now) return { reservation: current };
  return { reservation: inState(current, { kind: "expired" }), move: "free" };
}

/**
 * The order exists: its stock stays set aside until it is paid or cancelled. What has expired, or was never reserved, is
 * taken again, or the order is told that it can't be filled.
 */
export function pin(
  current: Reservation | undefined,
  order: { readonly orderId: string; readonly items: readonly Item[] },
  now: Date,
): Transition {
  const known = current ?? inState(openReservation(order.orderId, order.items, now), { kind: "expired" });
  const pinned = inState(known, { kind: "pinned" });
  const { state } = known;
  switch (state.kind) {
    case "held":
      return { reservation: pinned };
    case "expired":
      return { reservation: pinned, move: "hold", news: { kind: "reserved" }, otherwise: unfillable(known) };
    case "pinned":
    case "committed":
      return { reservation: known };
    case "released":
      // When it was told, there was no order yet that could have heard it.
      return state.cause === "requested" ? { reservation: known, news: state } : { reservation: known };
  }
}

/** Sells what is set aside; a repeat changes nothing. Throws ReservationClosedError when it isn't set aside any more. */
export function commit(current: Reservation): Transition {
  switch (current.state.kind) {
    case "held":
    case "pinned":
      return { reservation: inState(current, { kind: "committed" }), move: "take", news: { kind: "committed" } };
    case "committed":
      return { reservation: current };
    case "expired":
    case "released":
      throw new ReservationClosedError(current);
  }
}

/**
 * Sells to an order that is paid, so there is nobody to refuse: what expired unpinned is sold if it is still there, else
 * the order is told that it can't be filled, as one is that nothing is known of. A released one stays as it is, since
 * the order has been told already.
 */
export function fulfil(current: Reservation | undefined, orderId: string, now: Date): Transition {
  if (current === undefined) return unfillable(openReservation(orderId, [], now));
  switch (current.state.kind) {
    case "expired":
      return {
        reservation: inState(current, { kind: "committed" }),
        move: "sell",
        news: { kind: "committed" },
        otherwise: unfillable(current),
      };
    case "released":
      return { reservation: current };
    default:
      return commit(current);
  }
}

/**
 * Gives the stock back at the caller's wish, for good: what expired has none left to give, and an order that comes later
 * doesn't retake it. A repeat changes nothing. Throws ReservationClosedError once committed.
 */
export function release(current: Reservation): Transition {
  switch (current.state.kind) {
    case "held":
    case "pinned":
      return released(current, "requested", "free");
    case "expired":
      return released(current, "requested");
    case "released":
      return { reservation: current };
    case "committed":
      throw new ReservationClosedError(current);
  }
}

/** The order was cancelled: what is set aside is freed, what was sold is put back, and nothing is ever reserved for it again. */
export function cancel(current: Reservation | undefined, orderId: string, now: Date): Transition {
  const cause = "orderCancelled";
  if (current === undefined) {
    return { reservation: inState(openReservation(orderId, [], now), { kind: "released", cause }) };
  }
  switch (current.state.kind) {
    case "held":
    case "pinned":
      return released(current, cause, "free");
    case "committed":
      return released(current, cause, "putBack");
    case "expired":
      return { reservation: inState(current, { kind: "released", cause }) };
    case "released":
      return { reservation: current };
  }
}

function released(current: Reservation, cause: ReleaseCause, move?: StockMove): Transition {
  const state = { kind: "released", cause } as const;
  return { reservation: inState(current, state), news: state, ...(move && { move }) };
}

function unfillable(current: Reservation): Transition {
  return released(current, "expired");
}

function inState(reservation: Reservation, state: ReservationState): Reservation {
  return { ...reservation, state };
}

import { isUnavailable } from "@weft/store";
import { ReservationNotFoundError } from "../domain/reservation.ts";
import { expire } from "../domain/transitions.ts";
import type { Reservations } from "./reservations.ts";

const batchSize = 100;

/**
 * Frees the stock of held reservations whose time has come; resolves with how many were looked at, 0 when none is left.
 * Each is a transaction of its own, so instances that sweep at once only find nothing left to do. One that can't be freed
 * holds up no other: rejects once all were tried.
 */
export function expireReservations(reservations: Reservations, now: () => Date) {
  const expireOne = (orderId: string) =>
    reservations.change(orderId, (current) => {
      if (!current) throw new ReservationNotFoundError(`the reservation of order ${orderId} is gone`);
      return expire(current, now());
    });
  return async (signal: AbortSignal): Promise<number> => {
    const due = await reservations.due(now(), batchSize);
    const failures: unknown[] = [];
    for (const orderId of due) {
      signal.throwIfAborted();
      await expireOne(orderId).catch((error: unknown) => {
        if (isUnavailable(error)) throw error;
        failures.push(error);
      });
    }
    if (failures.length > 0) throw failures[0];
    return due.length;
  };
}

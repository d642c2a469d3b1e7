import type { Logger } from "@weft/telemetry";
import { ReservationNotFoundError } from "../domain/reservation.ts";
import { expire } from "../domain/transitions.ts";
import type { Overdue, Reservations } from "./reservations.ts";

export interface ExpiryParts {
  readonly reservations: Reservations;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Milliseconds until the attempt after the n-th. */
  readonly pauseMs: (attempt: number) => number;
}

const batchSize = 100;

/**
 * Frees the stock of held reservations whose time has come; resolves with how many were looked at, 0 when none is left.
 * Each is a transaction of its own, so instances that sweep at once only find nothing left to do. One that can't be freed
 * is logged, and tried again a while later: it holds up no other. Rejects when that can't be written either, as while the
 * database is away, unless others of the batch were done before.
 */
export function expireReservations({ reservations, logger, now, pauseMs }: ExpiryParts) {
  const free = ({ orderId }: Overdue) =>
    reservations.change(orderId, (current) => {
      if (!current) throw new ReservationNotFoundError(`the reservation of order ${orderId} is gone`);
      return expire(current, now());
    });
  const freeOrPostpone = async (overdue: Overdue): Promise<void> => {
    try {
      await free(overdue);
    } catch (error) {
      const { orderId, attempt } = overdue;
      logger.error({ orderId, attempt, error }, "a reservation was not freed: it is tried again later");
      await reservations.postpone(overdue, new Date(now().getTime() + pauseMs(attempt)));
    }
  };
  return async (signal: AbortSignal): Promise<number> => {
    let looked = 0;
    try {
      for (const overdue of await reservations.due(now(), batchSize)) {
        signal.throwIfAborted();
        await freeOrPostpone(overdue);
        looked += 1;
      }
    } catch (error) {
      if (looked === 0) throw error;
    }
    return looked;
  };
}

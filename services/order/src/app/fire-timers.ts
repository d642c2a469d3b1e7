import type { Logger } from "@weft/telemetry";
import type { Orders } from "./orders.ts";
import { giveUpPayment } from "./settle-order.ts";

/** What is to happen to orders at a time, whichever process is alive then. */
export interface Timers {
  /**
   * Takes a timer that is due, runs `work`, and forgets the timer: one transaction, so that it fires once, or again when
   * `work` failed. Whoever asks meanwhile gets another one. False when none is due.
   */
  takeDue(now: Date, work: (timer: Timer) => Promise<void>): Promise<boolean>;
  /** An attempt at a timer failed: it isn't due again before `until`. One that has fired meanwhile stays forgotten. */
  postpone(timer: Timer, until: Date): Promise<void>;
}

export interface Timer {
  readonly orderId: string;
  readonly kind: TimerKind;
  /** 1 at the first attempt to fire it. */
  readonly attempt: number;
}

export type TimerKind = "payment_timeout";

export interface TimerParts {
  readonly timers: Timers;
  readonly orders: Orders;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Milliseconds until the attempt after the n-th. */
  readonly pauseMs: (attempt: number) => number;
}

const batchSize = 100;

/**
 * Fires what is due, at most a batch of it; resolves with how many were tried. Stops early when `signal` fires. A timer that
 * fails is logged, and due again a while later: it holds up no other. Rejects when that can't be written either, as while the
 * database is away, unless others of the batch were done before.
 */
export function fireTimers({ timers, orders, logger, now, pauseMs }: TimerParts) {
  const giveUp = giveUpPayment(orders, now);
  const fire = async ({ orderId, kind }: Timer): Promise<void> => {
    switch (kind) {
      case "payment_timeout":
        await giveUp(orderId, "the payment did not arrive in time");
    }
  };
  /** False when none is due. */
  const fireOrPostpone = async (): Promise<boolean> => {
    let taken: Timer | undefined;
    try {
      return await timers.takeDue(now(), (timer) => {
        taken = timer;
        return fire(timer);
      });
    } catch (error) {
      if (!taken) throw error;
      logger.error({ ...taken, error }, "a timer was not fired: it is tried again later");
      await timers.postpone(taken, new Date(now().getTime() + pauseMs(taken.attempt)));
      return true;
    }
  };
  return async (signal: AbortSignal): Promise<number> => {
    let tried = 0;
    try {
      while (tried < batchSize && !signal.aborted && (await fireOrPostpone())) tried += 1;
    } catch (error) {
      if (tried === 0) throw error;
    }
    return tried;
  };
}

import type { Orders } from "./orders.ts";
import { giveUpPayment } from "./settle-order.ts";

/** What is to happen to orders at a time, whichever process is alive then. */
export interface Timers {
  /**
   * Takes a timer that is due, runs `work`, and forgets the timer: one transaction, so that it fires once, or again when
   * `work` failed. Whoever asks meanwhile gets another one. False when none is due.
   */
  takeDue(now: Date, work: (timer: Timer) => Promise<void>): Promise<boolean>;
  /** Sets a timer to another time; one that has fired meanwhile stays forgotten. */
  postpone(timer: Timer, until: Date): Promise<void>;
}

export interface Timer {
  readonly orderId: string;
  readonly kind: TimerKind;
}

export type TimerKind = "payment_timeout";

const batchSize = 100;
const retryMs = 10_000;

/**
 * Fires what is due, at most a batch of it; answers how many. Stops early when `signal` fires. Rejects when one fails, which is
 * then due a while later: it must not stand in the way of all that were due after it.
 */
export function fireTimers(timers: Timers, orders: Orders, now: () => Date) {
  const giveUp = giveUpPayment(orders, now);
  const fire = async ({ orderId, kind }: Timer): Promise<void> => {
    switch (kind) {
      case "payment_timeout":
        await giveUp(orderId, "the payment did not arrive in time");
    }
  };
  const fireNext = async (): Promise<boolean> => {
    let taken: Timer | undefined;
    try {
      return await timers.takeDue(now(), (timer) => {
        taken = timer;
        return fire(timer);
      });
    } catch (error) {
      // The reason is told, not what it may have prevented: without its database a timer stays due.
      if (taken) await timers.postpone(taken, new Date(now().getTime() + retryMs)).catch(() => undefined);
      throw error;
    }
  };
  return async (signal: AbortSignal): Promise<number> => {
    let fired = 0;
    while (fired < batchSize && !signal.aborted && (await fireNext())) fired += 1;
    return fired;
  };
}

import type { Orders } from "./orders.ts";
import { giveUpPayment } from "./settle-order.ts";

/** What is to happen to orders at a time, whichever process is alive then. */
export interface Timers {
  /**
   * Takes a timer that is due, runs `work`, and forgets the timer: one transaction, so that it fires once, or again when
   * `work` failed. Whoever asks meanwhile gets another one. False when none is due.
   */
  takeDue(now: Date, work: (timer: Timer) => Promise<void>): Promise<boolean>;
}

export interface Timer {
  readonly orderId: string;
  readonly kind: TimerKind;
}

export type TimerKind = "payment_timeout";

const batchSize = 100;

/** Fires what is due, at most a batch of it; answers how many. Stops early when `signal` fires. */
export function fireTimers(timers: Timers, orders: Orders, now: () => Date) {
  const giveUp = giveUpPayment(orders, now);
  const fire = async ({ orderId, kind }: Timer): Promise<void> => {
    switch (kind) {
      case "payment_timeout":
        await giveUp(orderId, "the payment did not arrive in time");
    }
  };
  return async (signal: AbortSignal): Promise<number> => {
    let fired = 0;
    while (fired < batchSize && !signal.aborted && (await timers.takeDue(now(), fire))) fired += 1;
    return fired;
  };
}

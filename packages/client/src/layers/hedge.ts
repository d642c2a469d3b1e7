import { type Clock, longestTimerMs } from "@weft/context";
import type { HedgePolicy, RetryBudget } from "@weft/policy";
import { codeName, type RpcResponse } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import type { Call, Layer, Next } from "../call.ts";
import { isAttemptTimeout, pushbackOf } from "../errors.ts";

/**
 * Sends a call that has no answer after the contract's delay to another endpoint too, up to `max_attempts` at once, while
 * the retry budget allows; the first answer wins and the others are cancelled (gRFC A6). An error that another endpoint would give too
 * is an answer; after one that may pass the successor starts at once, or when the server says; not at all where it says never (its pushback).
 * Only what is safe to repeat has a hedge policy.
 */
export function hedgeLayer(budget: RetryBudget, clock: Clock): Layer {
  const hedges = meter("weft.client").createCounter("weft.client.hedges", {
    description: "attempts of hedged calls after the first",
  });
  return (next) => (call) => {
    const policy = call.policy.hedge;
    if (!policy || !call.repeatable) return next(call);
    budget.deposit();
    const leftMs = (): number => call.deadline - clock.now();
    return race(call, next, policy, leftMs, () => {
      if (leftMs() <= 0 || !budget.withdraw()) return false;
      hedges.add(1, call.called.attributes);
      return true;
    });
  };
}

function race(
  call: Call,
  next: Next,
  { delayMs, maxAttempts }: HedgePolicy,
  leftMs: () => number,
  mayStart: () => boolean,
): Promise<RpcResponse> {
  return new Promise((resolve, reject) => {
    const running = new Set<AbortController>();
    let failure: unknown;
    let left = maxAttempts;
    let started = 0;
    let settled = false;
    let timer: NodeJS.Timeout | undefined;

    const settle = (finish: () => void, winner?: AbortController): void => {
      settled = true;
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", onAbort);
      for (const loser of running) if (loser !== winner) loser.abort();
      finish();
    };
    /** Who waits for the next attempt alone hears of it from nobody else. */
    const onAbort = (): void => {
      if (running.size === 0) settle(() => reject(call.signal?.reason));
    };
    const endIfOver = (): void => {
      if (running.size === 0) settle(() => reject(failure));
    };
    const startOrEnd = (): void => {
      if (mayStart()) start();
      else endIfOver();
    };
    const startLater = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(startOrEnd, Math.min(ms, longestTimerMs));
    };
    const afterFailure = (error: unknown): void => {
      failure = error;
      const told = pushbackOf(error);
      const waitMs = told === "never" ? Number.POSITIVE_INFINITY : (told ?? 0);
      if (call.signal?.aborted || waitMs >= leftMs()) left = 0;
      if (left === 0) {
        clearTimeout(timer);
        endIfOver();
      } else if (told === undefined) startOrEnd();
      else startLater(waitMs);
    };
    const start = (): void => {
      started += 1;
      left -= 1;
      clearTimeout(timer);
      const attempt = new AbortController();
      running.add(attempt);
      const signal = call.signal ? AbortSignal.any([call.signal, attempt.signal]) : attempt.signal;
      next(call.beside(started, signal)).then(
        (response) => {
          if (!settled) settle(() => resolve(response), attempt);
        },
        (error: unknown) => {
          running.delete(attempt);
          if (settled) return;
          if (isPassing(error)) afterFailure(error);
          else settle(() => reject(error));
        },
      );
      if (left > 0) startLater(delayMs);
    };
    call.signal?.addEventListener("abort", onAbort, { once: true });
    start();
  });
}

function isPassing(error: unknown): boolean {
  return isAttemptTimeout(error) || codeName(error) === "UNAVAILABLE";
}

import { type Clock, currentCall, systemClock } from "@weft/context";
import { ExponentialBackoff, handleWhenResult, retry } from "cockatiel";
import type { RetryPolicy } from "./method-policy.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { sleep } from "./sleep.ts";

export interface RetryOptions {
  /** Shared by what calls the same service. Each `execute` deposits once, each retry withdraws. */
  readonly budget?: RetryBudget;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  readonly clock?: Clock;
  /** Whether another attempt may help and is safe. */
  isRetryable(error: unknown): boolean;
  /**
   * What the server says of the wait before the next attempt (gRFC A6, server pushback): milliseconds, "never" when there is to be none,
   * undefined when it says nothing. Backoff then begins anew.
   */
  pushback?(error: unknown): number | "never" | undefined;
  /** Called before the wait. */
  onRetry?(retry: RetryEvent): void;
  /** Called when a retryable error is handed to the caller after all. */
  onGiveUp?(end: GiveUpEvent): void;
}

export interface RetryEvent {
  /** The attempt that failed, 1 for the first. */
  readonly attempt: number;
  readonly error: unknown;
  readonly delayMs: number;
}

export interface GiveUpEvent {
  readonly attempt: number;
  readonly error: unknown;
  readonly reason: GiveUpReason;
}

export type GiveUpReason = "attempts" | "budget" | "deadline" | "aborted" | "pushback";

export interface RetryState {
  readonly calls: number;
  readonly attempts: number;
  /** Calls that ended in a retryable error, by what stopped the next attempt. */
  readonly gaveUp: Readonly<Record<GiveUpReason, number>>;
}

export interface Retry {
  /**
   * Runs `attempt` (n is 1 for the first) until it resolves or another attempt is not allowed; then rejects with the last error.
   * An abort during a wait rejects at once with the signal's reason.
   * `deadline` is the clock's reading at which the answer is worth nothing; the current call's unless given. No wait goes beyond it.
   */
  execute<T>(
    attempt: (n: number, signal: AbortSignal) => PromiseLike<T> | T,
    signal?: AbortSignal,
    deadline?: number,
  ): Promise<T>;
  /** A call begins whose first attempt its caller makes: `execute` in two halves, of which calls that succeed need the first alone. */
  begin(): void;
  /** The first attempt has failed with `error`: goes on from there, as `execute` does. */
  resume<T>(
    error: unknown,
    attempt: (n: number, signal: AbortSignal) => PromiseLike<T> | T,
    signal?: AbortSignal,
    deadline?: number,
  ): Promise<T>;
  getState(): RetryState;
}

/** Stands for an attempt after which cockatiel's loop goes round once more. */
class Again {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

const never = new AbortController().signal;

/**
 * Retry with exponential backoff. Loop and backoff are cockatiel's; it knows neither budget nor deadline, and its waits ignore
 * abort, so the wait happens inside the attempt and cockatiel's own delay is zero.
 */
export function createRetry(policy: RetryPolicy, options: RetryOptions): Retry {
  const { budget, random = Math.random, clock = systemClock } = options;
  // cockatiel counts retries where the contract counts attempts.
  const loop = retry(
    handleWhenResult((result) => result instanceof Again),
    { maxAttempts: policy.maxAttempts - 1 },
  );
  const backoff = new ExponentialBackoff<number>({
    generator: (retries = 0) => {
      const delay = Math.min(policy.maxDelayMs, policy.baseDelayMs * policy.multiplier ** retries);
      return [delay * (1 - policy.jitter * random()), retries + 1];
    },
  });
  let calls = 0;
  let attempts = 0;
  const gaveUp: Record<GiveUpReason, number> = { attempts: 0, budget: 0, deadline: 0, aborted: 0, pushback: 0 };

  function obstacle(attempt: number, delayMs: number, signal: AbortSignal, deadline: number | undefined) {
    if (signal.aborted) return "aborted";
    if (attempt >= policy.maxAttempts) return "attempts";
    if (deadline !== undefined && deadline - clock.now() <= delayMs) return "deadline";
    // Last, since it takes: nothing is withdrawn for a retry that won't happen.
    if (budget?.withdraw() === false) return "budget";
    return undefined;
  }

  function begin(): void {
    calls += 1;
    attempts += 1;
    budget?.deposit();
  }

  function giveUp(attempt: number, error: unknown, reason: GiveUpReason): never {
    gaveUp[reason] += 1;
    options.onGiveUp?.({ attempt, error, reason });
    throw error;
  }

  async function resume<T>(
    firstError: unknown,
    attempt: (n: number, signal: AbortSignal) => PromiseLike<T> | T,
    signal: AbortSignal = never,
    deadline = currentCall()?.deadline,
  ): Promise<T> {
    if (!options.isRetryable(firstError)) throw firstError;
    let wait: ReturnType<typeof backoff.next> | undefined;
    const result = await loop.execute(async (context): Promise<T | Again> => {
      const n = context.attempt + 1;
      try {
        if (n === 1) throw firstError;
        attempts += 1;
        return await attempt(n, signal);
      } catch (error) {
        if (!options.isRetryable(error)) throw error;
        const told = options.pushback?.(error);
        if (told === "never") giveUp(n, error, "pushback");
        // What the server says of its wait stands in place of the backoff, which begins anew.
        if (told !== undefined) wait = undefined;
        else wait = wait === undefined ? backoff.next() : wait.next(undefined);
        const delayMs = told ?? wait?.duration ?? 0;
        const reason = obstacle(n, delayMs, signal, deadline);
        if (reason !== undefined) giveUp(n, error, reason);
        options.onRetry?.({ attempt: n, error, delayMs });
        await sleep(delayMs, signal);
        return new Again(error);
      }
    }, signal);
    // The loop only ends in Again when the signal aborted between the wait and the next attempt.
    if (result instanceof Again) throw signal.aborted ? signal.reason : result.error;
    return result;
  }

  return {
    begin,
    resume,
    async execute<T>(
      attempt: (n: number, signal: AbortSignal) => PromiseLike<T> | T,
      signal: AbortSignal = never,
      deadline = currentCall()?.deadline,
    ): Promise<T> {
      begin();
      try {
        return await attempt(1, signal);
      } catch (error) {
        return await resume(error, attempt, signal, deadline);
      }
    },
    getState: () => ({ calls, attempts, gaveUp: { ...gaveUp } }),
  };
}

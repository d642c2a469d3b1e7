import { createCall, runWithCall } from "@weft/context";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RetryPolicy } from "./method-policy.ts";
import { createRetry, type RetryEvent } from "./retry.ts";
import { createRetryBudget } from "./retry-budget.ts";

const policy: RetryPolicy = {
  maxAttempts: 3,
  perAttemptTimeoutMs: undefined,
  baseDelayMs: 100,
  maxDelayMs: 60_000,
  multiplier: 2,
  jitter: 0.5,
  codes: ["UNAVAILABLE"],
};
const unavailable = new Error("unavailable");
const isRetryable = (error: unknown) => error === unavailable;
const noJitter = () => 0;

function failing() {
  return vi.fn(async (_n: number, _signal: AbortSignal): Promise<string> => {
    throw unavailable;
  });
}

/** The promise's outcome, watched from the start so that no rejection goes unheard. */
function outcome<T>(promise: Promise<T>) {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

async function delaysOf(overrides: Partial<RetryPolicy>, random: () => number): Promise<number[]> {
  const delays: number[] = [];
  const retry = createRetry(
    { ...policy, ...overrides },
    { isRetryable, random, onRetry: ({ delayMs }: RetryEvent) => delays.push(delayMs) },
  );
  const done = outcome(retry.execute(failing()));
  await vi.runAllTimersAsync();
  await done;
  return delays;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("maxAttempts counts every attempt, the first included", async () => {
  const attempt = failing();
  const done = outcome(createRetry(policy, { isRetryable }).execute(attempt));
  await vi.runAllTimersAsync();
  expect(await done).toEqual({ error: unavailable });
  expect(attempt.mock.calls.map(([n]) => n)).toEqual([1, 2, 3]);
});

test("a success ends the retries", async () => {
  const attempt = failing().mockRejectedValueOnce(unavailable).mockResolvedValueOnce("answer");
  const done = outcome(createRetry(policy, { isRetryable }).execute(attempt));
  await vi.runAllTimersAsync();
  expect(await done).toEqual({ value: "answer" });
  expect(attempt).toHaveBeenCalledTimes(2);
});

test("what is not retryable is thrown at once", async () => {
  const notFound = new Error("not found");
  const attempt = vi.fn().mockRejectedValue(notFound);
  await expect(createRetry(policy, { isRetryable }).execute(attempt)).rejects.toBe(notFound);
  expect(attempt).toHaveBeenCalledTimes(1);
});

test("waits double up to the cap", async () => {
  expect(await delaysOf({ maxAttempts: 6, maxDelayMs: 500 }, noJitter)).toEqual([100, 200, 400, 500, 500]);
});

test("the attempt after a failure starts when its wait is over, not before", async () => {
  const attempt = failing();
  const done = outcome(createRetry(policy, { isRetryable, random: noJitter }).execute(attempt));
  await vi.advanceTimersByTimeAsync(99);
  expect(attempt).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2);
  expect(attempt).toHaveBeenCalledTimes(2);
  await vi.runAllTimersAsync();
  await done;
});

test("whatever the random, a wait is between 1 - jitter and 1 of its step", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (random, jitter) => {
        const delays = await delaysOf({ maxAttempts: 4, jitter }, () => random);
        for (const [i, delay] of delays.entries()) {
          expect(delay).toBeGreaterThanOrEqual((1 - jitter) * 100 * 2 ** i - 1e-6);
          expect(delay).toBeLessThanOrEqual(100 * 2 ** i);
        }
        expect(delays).toHaveLength(3);
      },
    ),
    { numRuns: 30 },
  );
});

test("an abort during the wait rejects at once with its reason and leaves no timer", async () => {
  const attempt = failing();
  const abort = new AbortController();
  const done = outcome(createRetry(policy, { isRetryable }).execute(attempt, abort.signal));
  await vi.advanceTimersByTimeAsync(10);
  const reason = new Error("caller left");
  abort.abort(reason);
  expect(await done).toEqual({ error: reason });
  expect(vi.getTimerCount()).toBe(0);
  expect(attempt).toHaveBeenCalledTimes(1);
});

test("a call that was aborted during the attempt is not tried again", async () => {
  const abort = new AbortController();
  const attempt = vi.fn(async () => {
    abort.abort();
    throw unavailable;
  });
  const retry = createRetry(policy, { isRetryable });
  await expect(retry.execute(attempt, abort.signal)).rejects.toBe(unavailable);
  expect(attempt).toHaveBeenCalledTimes(1);
  expect(retry.getState().gaveUp.aborted).toBe(1);
});

test("no wait that the deadline would cut short is begun", async () => {
  const attempt = failing();
  const onGiveUp = vi.fn();
  const retry = createRetry(policy, { isRetryable, random: noJitter, clock: { now: () => 1_000 }, onGiveUp });
  await expect(retry.execute(attempt, undefined, 1_100)).rejects.toBe(unavailable);
  expect(attempt).toHaveBeenCalledTimes(1);
  expect(onGiveUp).toHaveBeenCalledWith({ attempt: 1, error: unavailable, reason: "deadline" });
});

test("the deadline is the current call's unless one is given", async () => {
  const attempt = failing();
  const retry = createRetry(policy, { isRetryable, random: noJitter, clock: { now: () => 1_000 } });
  const done = runWithCall(createCall({ deadline: 1_050 }), () => retry.execute(attempt));
  await expect(done).rejects.toBe(unavailable);
  expect(attempt).toHaveBeenCalledTimes(1);
});

test("an empty budget stops the retries, and the last error is thrown", async () => {
  const budget = createRetryBudget({ ratio: 0, perSecond: 1, clock: { now: () => 0 } });
  const attempt = failing();
  const retry = createRetry(policy, { isRetryable, budget });
  const done = outcome(retry.execute(attempt));
  await vi.runAllTimersAsync();
  expect(await done).toEqual({ error: unavailable });
  expect(attempt).toHaveBeenCalledTimes(2);
  expect(retry.getState()).toMatchObject({ calls: 1, attempts: 2, gaveUp: { budget: 1, attempts: 0 } });
});

test("a call deposits once, and the last attempt withdraws nothing", async () => {
  const budget = createRetryBudget();
  const done = outcome(createRetry(policy, { isRetryable, budget }).execute(failing()));
  await vi.runAllTimersAsync();
  await done;
  expect(budget.getState()).toMatchObject({ deposits: 1, withdrawals: 2, refused: 0 });
});

test("concurrent calls count their attempts and waits apart", async () => {
  const retry = createRetry(policy, { isRetryable, random: noJitter });
  const first = failing();
  const second = failing();
  const a = outcome(retry.execute(first));
  await vi.advanceTimersByTimeAsync(50);
  const b = outcome(retry.execute(second));
  await vi.advanceTimersByTimeAsync(52);
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([2, 1]);
  await vi.runAllTimersAsync();
  await Promise.all([a, b]);
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([3, 3]);
});

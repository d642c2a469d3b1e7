import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type BreakerStateName, createBreaker } from "./breaker.ts";
import { BulkheadRejectedError, isBreakerOpen } from "./errors.ts";
import type { BreakerPolicy } from "./method-policy.ts";

const policy: BreakerPolicy = {
  trip: { kind: "consecutive", failures: 5 },
  openForMs: 60_000,
  halfOpenSuccesses: 3,
};
const crash = new Error("crash");
const notFound = new Error("not found");
const deadline = new Error("deadline");
const isFailure = (error: unknown) => error === crash || error === deadline;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(overrides: Partial<BreakerPolicy> = {}) {
  const states: BreakerStateName[] = [];
  const breaker = createBreaker(
    { ...policy, ...overrides },
    { isFailure, onStateChange: (state) => states.push(state) },
  );
  const succeed = () => breaker.execute(async () => "answer");
  const fail = (error: unknown = crash) =>
    breaker.execute(() => Promise.reject(error)).catch((thrown: unknown) => thrown);
  /** A call that is under way until told how it ends. */
  function start(signal?: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const done = breaker.execute(() => promise, signal).catch((thrown: unknown) => thrown);
    function succeed() {
      resolve("answer");
      return done;
    }
    function fail(error: unknown = crash) {
      reject(error);
      return done;
    }
    return { done, succeed, fail };
  }
  async function trip() {
    for (let i = 0; i < 5; i++) await fail();
  }
  async function tripAndWait() {
    await trip();
    vi.advanceTimersByTime(60_000);
  }
  return { breaker, states, succeed, fail, start, trip, tripAndWait };
}

test("opens at the fifth failure in a row", async () => {
  const { breaker, fail } = setUp();
  for (let i = 0; i < 4; i++) await fail();
  expect(breaker.getState().state).toBe("closed");
  await fail();
  expect(breaker.getState().state).toBe("open");
});

test("a success between failures starts the count anew", async () => {
  const { breaker, fail, succeed } = setUp();
  for (let i = 0; i < 4; i++) await fail();
  await succeed();
  for (let i = 0; i < 4; i++) await fail();
  expect(breaker.getState()).toMatchObject({ state: "closed", failures: 4 });
});

test("an error that is the client's own fault proves the endpoint well", async () => {
  const { breaker, fail } = setUp();
  for (let i = 0; i < 4; i++) await fail();
  await fail(notFound);
  await fail();
  expect(breaker.getState()).toMatchObject({ state: "closed", failures: 1 });
});

test("a caller's cancel is neither a success nor a failure", async () => {
  const { breaker, fail, start } = setUp();
  for (let i = 0; i < 4; i++) await fail();
  const abort = new AbortController();
  const call = start(abort.signal);
  abort.abort();
  await call.fail(crash);
  expect(breaker.getState()).toMatchObject({ state: "closed", failures: 4, counts: { ignored: 1 } });
});

test("a deadline that aborts the signal is judged by its reason", async () => {
  const { breaker, start } = setUp();
  const abort = new AbortController();
  const call = start(abort.signal);
  abort.abort(deadline);
  await call.fail(new Error("cancelled"));
  expect(breaker.getState()).toMatchObject({ failures: 1, counts: { failures: 1, ignored: 0 } });
});

test("a local rejection inside is neither a success nor a failure", async () => {
  const { breaker, fail } = setUp();
  for (let i = 0; i < 4; i++) await fail();
  await fail(new BulkheadRejectedError("user_queries", "full"));
  expect(breaker.getState()).toMatchObject({ failures: 4, counts: { ignored: 1 } });
});

test("while open it calls nothing and says until when", async () => {
  const { breaker, trip } = setUp();
  await trip();
  vi.advanceTimersByTime(20_000);
  const call = vi.fn();
  const error = await breaker.execute(call).catch((thrown: unknown) => thrown);
  expect(isBreakerOpen(error) && error.retryAfterMs).toBe(40_000);
  expect(breaker.admits()).toBe(false);
  expect(call).not.toHaveBeenCalled();
  expect(breaker.getState().counts).toEqual({ successes: 0, failures: 5, ignored: 0, rejected: 1, opened: 1 });
});

test("rejected calls don't keep it open", async () => {
  const { breaker, trip, succeed } = setUp();
  await trip();
  vi.advanceTimersByTime(59_999);
  for (let i = 0; i < 10; i++) await succeed().catch(() => {});
  vi.advanceTimersByTime(1);
  expect(breaker.admits()).toBe(true);
});

test("closes after three successful probes", async () => {
  const { breaker, states, tripAndWait, succeed } = setUp();
  await tripAndWait();
  await succeed();
  await succeed();
  expect(breaker.getState().state).toBe("half-open");
  await succeed();
  await succeed();
  expect(breaker.getState()).toMatchObject({ state: "closed", failures: 0, openedAt: undefined });
  expect(states).toEqual(["open", "half-open", "closed"]);
});

test("one failed probe opens it for the full time again", async () => {
  const { breaker, tripAndWait, succeed, fail } = setUp();
  await tripAndWait();
  await succeed();
  await fail();
  expect(breaker.getState()).toMatchObject({ state: "open", retryAfterMs: 60_000, counts: { opened: 2 } });
});

test("a client's error is a successful probe", async () => {
  const { breaker, tripAndWait, fail } = setUp();
  await tripAndWait();
  for (let i = 0; i < 3; i++) await fail(notFound);
  expect(breaker.getState().state).toBe("closed");
});

test("no more than three probes run at once, and a fourth is refused rather than kept waiting", async () => {
  const { breaker, tripAndWait, start, succeed } = setUp();
  await tripAndWait();
  const probes = [start(), start(), start()];
  expect(breaker.admits()).toBe(false);
  expect(isBreakerOpen(await succeed().catch((error: unknown) => error))).toBe(true);
  for (const probe of probes) await probe.succeed();
  expect(breaker.getState().state).toBe("closed");
});

test("cancelled probes don't close it, and their places go to other probes", async () => {
  const { breaker, tripAndWait, start, succeed } = setUp();
  await tripAndWait();
  for (let i = 0; i < 10; i++) {
    const abort = new AbortController();
    const probe = start(abort.signal);
    abort.abort();
    await probe.fail(new Error("cancelled"));
  }
  expect(breaker.getState()).toMatchObject({ state: "half-open", counts: { ignored: 10 } });
  for (let i = 0; i < 3; i++) await succeed();
  expect(breaker.getState().state).toBe("closed");
});

test("a failure from before it opened doesn't reopen a half-open circuit", async () => {
  const { breaker, tripAndWait, start, succeed } = setUp();
  const straggler = start();
  await tripAndWait();
  await succeed();
  await straggler.fail();
  expect(breaker.getState().state).toBe("half-open");
  await succeed();
  await succeed();
  expect(breaker.getState().state).toBe("closed");
});

test("a probe that outlives its half-open period counts for nothing later", async () => {
  const { breaker, tripAndWait, start, fail, succeed } = setUp();
  await tripAndWait();
  const straggler = start();
  await fail();
  vi.advanceTimersByTime(60_000);
  await succeed();
  await straggler.succeed();
  await succeed();
  expect(breaker.getState().state).toBe("half-open");
  await succeed();
  expect(breaker.getState().state).toBe("closed");
});

test("the wall clock may jump without effect", async () => {
  const { breaker, trip } = setUp();
  await trip();
  vi.setSystemTime(Date.now() + 600_000);
  expect(breaker.admits()).toBe(false);
  vi.setSystemTime(Date.now() - 1_200_000);
  vi.advanceTimersByTime(60_000);
  expect(breaker.admits()).toBe(true);
  await expect(breaker.execute(async () => "answer")).resolves.toBe("answer");
});

test("a ratio opens it only when the window saw enough calls", async () => {
  const { breaker, succeed, fail } = setUp({ trip: { kind: "ratio", ratio: 0.5, volume: 10, windowMs: 10_000 } });
  for (let i = 0; i < 5; i++) await fail();
  for (let i = 0; i < 4; i++) await succeed();
  expect(breaker.getState().state).toBe("closed");
  await fail();
  expect(breaker.getState().state).toBe("open");
});

test("failures that left the window are forgotten", async () => {
  const { breaker, fail } = setUp({ trip: { kind: "ratio", ratio: 0.5, volume: 10, windowMs: 10_000 } });
  for (let i = 0; i < 9; i++) await fail();
  vi.advanceTimersByTime(10_000);
  await fail();
  expect(breaker.getState()).toMatchObject({ state: "closed", failures: 1 });
});

test("whatever happens, it is open exactly when it had reason to be, and three probes close it", async () => {
  const event = fc.constantFrom("success", "failure", "client error", "wait" as const);
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      const { breaker, succeed, fail } = setUp();
      let row = 0;
      let probes = 0;
      let model: BreakerStateName = "closed";
      let openedAt = 0;
      for (const kind of events) {
        if (kind === "wait") {
          vi.advanceTimersByTime(60_000);
          continue;
        }
        if (model === "open" && performance.now() - openedAt >= 60_000) {
          model = "half-open";
          probes = 0;
        }
        if (kind === "success") await succeed().catch(() => {});
        else await fail(kind === "failure" ? crash : notFound);
        if (model === "open") continue;
        row = kind === "failure" ? row + 1 : 0;
        if (kind === "failure" ? model === "half-open" || row >= 5 : false) {
          model = "open";
          openedAt = performance.now();
        } else if (model === "half-open" && ++probes === 3) {
          model = "closed";
        }
        expect(breaker.getState().state).toBe(model);
      }
    }),
    { numRuns: 60 },
  );
});

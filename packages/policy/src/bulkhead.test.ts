import { createCall, currentCall, runWithCall } from "@weft/context";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createBulkhead } from "./bulkhead.ts";
import { isBulkheadRejected } from "./errors.ts";
import type { BulkheadPolicy } from "./method-policy.ts";

const policy: BulkheadPolicy = { group: "user_queries", maxConcurrent: 2, maxQueue: 2, queueTimeoutMs: undefined };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(overrides: Partial<BulkheadPolicy> = {}) {
  const onReject = vi.fn();
  const bulkhead = createBulkhead({ ...policy, ...overrides }, { onReject });
  const started: string[] = [];
  function call(name: string, signal?: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const done = bulkhead
      .execute(() => {
        started.push(name);
        return promise;
      }, signal)
      .catch((error: unknown) => error);
    function finish() {
      resolve(name);
      return done;
    }
    function crash() {
      reject(new Error(name));
      return done;
    }
    return { done, finish, crash };
  }
  return { bulkhead, started, call, onReject };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test("runs as many at once as it has places, and queues the rest in order", async () => {
  const { bulkhead, started, call } = setUp();
  const calls = ["a", "b", "c", "d"].map((name) => call(name));
  expect(started).toEqual(["a", "b"]);
  expect(bulkhead.getState()).toMatchObject({ running: 2, queued: 2 });
  await calls[1]?.finish();
  await settle();
  expect(started).toEqual(["a", "b", "c"]);
  await calls[0]?.finish();
  await settle();
  expect(started).toEqual(["a", "b", "c", "d"]);
  await Promise.all([calls[2]?.finish(), calls[3]?.finish()]);
  await settle();
  expect(bulkhead.getState()).toMatchObject({ running: 0, queued: 0, admitted: 4, rejected: 0 });
});

test("rejects what finds no place in the queue either", async () => {
  const { bulkhead, call, onReject } = setUp();
  for (const name of ["a", "b", "c", "d"]) call(name);
  expect(bulkhead.admits()).toBe(false);
  const error = await call("e").done;
  expect(isBulkheadRejected(error) && [error.group, error.reason]).toEqual(["user_queries", "full"]);
  expect(bulkhead.getState().rejected).toBe(1);
  expect(onReject).toHaveBeenCalledWith(error);
});

test("a crash gives its place back", async () => {
  const { bulkhead, started, call } = setUp({ maxConcurrent: 1 });
  const first = call("a");
  call("b");
  await first.crash();
  await settle();
  expect(started).toEqual(["a", "b"]);
  expect(bulkhead.getState().running).toBe(1);
});

test("a queued call hears abort at once and gives its place in the queue to another", async () => {
  const { bulkhead, started, call } = setUp({ maxConcurrent: 1, maxQueue: 1 });
  const first = call("a");
  const abort = new AbortController();
  const queued = call("b", abort.signal);
  const reason = new Error("caller left");
  abort.abort(reason);
  expect(await queued.done).toBe(reason);
  expect(bulkhead.getState().queued).toBe(0);
  const next = call("c");
  await first.finish();
  await next.finish();
  expect(started).toEqual(["a", "c"]);
});

test("a call that is aborted already takes no place", async () => {
  const { bulkhead, started, call } = setUp();
  await call("a", AbortSignal.abort()).done;
  expect(started).toEqual([]);
  expect(bulkhead.getState().admitted).toBe(0);
});

test("an abort between being let in and starting gives the place on", async () => {
  const { bulkhead, started, call } = setUp({ maxConcurrent: 1 });
  const first = call("a");
  const abort = new AbortController();
  const removeListener = abort.signal.removeEventListener.bind(abort.signal);
  vi.spyOn(abort.signal, "removeEventListener").mockImplementation((type: string, listener: unknown) => {
    removeListener(type, listener as () => void);
    abort.abort();
  });
  const second = call("b", abort.signal);
  const third = call("c");
  await first.finish();
  expect(await second.done).toBe(abort.signal.reason);
  await third.finish();
  await settle();
  expect(started).toEqual(["a", "c"]);
  expect(bulkhead.getState()).toMatchObject({ running: 0, queued: 0 });
});

test("waits in the queue no longer than the queue timeout", async () => {
  const { bulkhead, call } = setUp({ maxConcurrent: 1, queueTimeoutMs: 500 });
  call("a");
  const queued = call("b");
  await vi.advanceTimersByTimeAsync(499);
  expect(bulkhead.getState().queued).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  const error = await queued.done;
  expect(isBulkheadRejected(error) && error.reason).toBe("timeout");
  expect(bulkhead.getState()).toMatchObject({ queued: 0, rejected: 1 });
});

test("leaves no timer and no listener once a queued call was let in", async () => {
  const { call } = setUp({ maxConcurrent: 1, queueTimeoutMs: 500 });
  const first = call("a");
  const abort = new AbortController();
  const removed = vi.spyOn(abort.signal, "removeEventListener");
  const queued = call("b", abort.signal);
  await first.finish();
  await settle();
  expect(vi.getTimerCount()).toBe(0);
  expect(removed).toHaveBeenCalledTimes(1);
  await queued.finish();
});

test("a newcomer doesn't overtake the queue, however soon after a call's end it comes", async () => {
  for (let microtasks = 0; microtasks < 10; microtasks++) {
    const { started, call } = setUp({ maxConcurrent: 1 });
    const first = call("a");
    const second = call("b");
    void first.finish();
    for (let i = 0; i < microtasks; i++) await null;
    const third = call("c");
    await second.finish();
    await third.finish();
    expect(started).toEqual(["a", "b", "c"]);
  }
});

test("a queued call runs in its own context, not in that of the call which made room", async () => {
  const { bulkhead } = setUp({ maxConcurrent: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen: (string | undefined)[] = [];
  const callAs = (correlationId: string) =>
    runWithCall(createCall({ correlationId }), () =>
      bulkhead.execute(async () => {
        seen.push(currentCall()?.correlationId);
        await promise;
      }),
    );
  const calls = [callAs("first"), callAs("second")];
  resolve();
  await Promise.all(calls);
  expect(seen).toEqual(["first", "second"]);
});

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { systemClock } from "@weft/context";
import { Health } from "@weft/contracts";
import { createRetryBudget, type HedgePolicy } from "@weft/policy";
import type { RpcResponse } from "@weft/rpc";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Call } from "../call.ts";
import { calledMethod } from "../called-method.ts";
import { defaultPolicy } from "../testing/harness.ts";
import { hedgeLayer } from "./hedge.ts";

const { check } = Health.method;
const timeoutMs = 1_000;
const policy: HedgePolicy = { delayMs: 100, maxAttempts: 3 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A call whose attempts end when the test says. */
function hedged(change: Partial<HedgePolicy> = {}, signal?: AbortSignal) {
  const attempts: PromiseWithResolvers<RpcResponse>[] = [];
  const next = (): Promise<RpcResponse> => {
    const attempt = Promise.withResolvers<RpcResponse>();
    attempts.push(attempt);
    return attempt.promise;
  };
  const now = systemClock.now();
  const call = new Call(
    calledMethod(check),
    { ...defaultPolicy, retry: undefined, hedge: { ...policy, ...change } },
    {},
    { kind: "one", message: create(check.input) },
    undefined,
    signal,
    now,
    now + timeoutMs,
  );
  let ended: unknown;
  hedgeLayer(
    createRetryBudget(),
    systemClock,
  )(next)(call).then(
    (answer) => {
      ended = answer;
    },
    (error: unknown) => {
      ended = error;
    },
  );
  return {
    attempts,
    ended: () => ended,
    async fail(attempt: number, error: ConnectError): Promise<void> {
      attempts[attempt - 1]?.reject(error);
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

function unavailable(pushback?: string): ConnectError {
  return new ConnectError(
    "not now",
    Code.Unavailable,
    pushback === undefined ? {} : { "grpc-retry-pushback-ms": pushback },
  );
}

test("an attempt is made after each delay, as many as the contract says", async () => {
  const { attempts } = hedged();
  expect(attempts).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(99);
  expect(attempts).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(attempts).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(100);
  expect(attempts).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(500);
  expect(attempts).toHaveLength(3);
});

test("the last attempt that the contract allows is the last, also where a failure brought it forward", async () => {
  const { attempts, fail } = hedged({ maxAttempts: 2 });
  await fail(1, unavailable());
  expect(attempts).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(500);
  expect(attempts).toHaveLength(2);
});

test("a server's pushback takes the place of the delay, once", async () => {
  const { attempts, fail } = hedged();
  await fail(1, unavailable("250"));
  await vi.advanceTimersByTimeAsync(249);
  expect(attempts).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(attempts).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(100);
  expect(attempts).toHaveLength(3);
});

test.each([
  ["forbids another attempt", "-1"],
  ["can't be read", "soon"],
  ["goes beyond the deadline", String(timeoutMs)],
])("a pushback that %s leaves those that run, and ends the call with the last of them", async (_, pushback) => {
  const { attempts, ended, fail } = hedged();
  await vi.advanceTimersByTimeAsync(100);
  await fail(1, unavailable(pushback));
  await vi.advanceTimersByTimeAsync(500);
  expect(attempts).toHaveLength(2);
  expect(ended()).toBeUndefined();
  const last = unavailable();
  await fail(2, last);
  expect(attempts).toHaveLength(2);
  expect(ended()).toBe(last);
});

test("a caller who leaves while the server's pushback is waited for is not kept", async () => {
  const caller = new AbortController();
  const { attempts, ended, fail } = hedged({}, caller.signal);
  await fail(1, unavailable("250"));
  expect(ended()).toBeUndefined();
  const reason = new Error("left");
  caller.abort(reason);
  await vi.advanceTimersByTimeAsync(0);
  expect(ended()).toBe(reason);
  expect(vi.getTimerCount()).toBe(0);
  expect(attempts).toHaveLength(1);
});

import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { createCall, currentCall, remainingMs, runWithCall } from "./index.ts";

test("code finds the call that it runs for, across awaits, and each its own", async () => {
  const seen = await Promise.all(
    ["a", "b"].map((correlationId) =>
      runWithCall(createCall({ correlationId }), async () => {
        await setImmediate();
        return currentCall()?.correlationId;
      }),
    ),
  );
  expect(seen).toEqual(["a", "b"]);
  expect(currentCall()).toBeUndefined();
});

test("work that nobody called for gets a correlation id of its own", () => {
  expect(createCall().correlationId).not.toBe(createCall().correlationId);
});

test("what is left of a deadline is never negative, and undefined where there is none", () => {
  const clock = { now: () => 1_000 };
  expect(remainingMs(createCall({ deadline: 1_250 }), clock)).toBe(250);
  expect(remainingMs(createCall({ deadline: 900 }), clock)).toBe(0);
  expect(remainingMs(createCall(), clock)).toBeUndefined();
  expect(remainingMs(undefined, clock)).toBeUndefined();
});

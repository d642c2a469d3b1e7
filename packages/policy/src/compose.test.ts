import { expect, test } from "vitest";
import { createBreaker, createBulkhead, isBulkheadRejected, wrap } from "./index.ts";

test("breaker and bulkhead compose as cockatiel policies, and a full bulkhead doesn't blame the endpoint", async () => {
  const breaker = createBreaker(
    { trip: { kind: "consecutive", failures: 1 }, openForMs: 1_000, halfOpenSuccesses: 1 },
    { isFailure: () => true },
  );
  const bulkhead = createBulkhead({ group: "g", maxConcurrent: 1, maxQueue: 0, queueTimeoutMs: undefined });
  const endpoint = wrap(breaker, bulkhead);
  const { promise, resolve } = Promise.withResolvers<string>();
  const abort = new AbortController();
  let passed: AbortSignal | undefined;
  const first = endpoint.execute(({ signal }) => {
    passed = signal;
    return promise;
  }, abort.signal);
  const second = await endpoint.execute(() => "never").catch((error: unknown) => error);
  expect(isBulkheadRejected(second)).toBe(true);
  resolve("answer");
  expect(await first).toBe("answer");
  expect(passed).toBe(abort.signal);
  expect(breaker.getState()).toMatchObject({ state: "closed", counts: { successes: 1, ignored: 1 } });
});

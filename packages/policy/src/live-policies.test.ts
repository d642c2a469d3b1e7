import { expect, test } from "vitest";
import { isInvalidPolicies, type LivePolicies, livePolicies } from "./live-policies.ts";
import type { MethodPolicy, ServicePolicies } from "./method-policy.ts";

const getUser: MethodPolicy = {
  timeoutMs: 1_000,
  idempotent: true,
  idempotencyKey: false,
  retry: {
    maxAttempts: 3,
    perAttemptTimeoutMs: undefined,
    baseDelayMs: 100,
    maxDelayMs: 60_000,
    multiplier: 2,
    jitter: 0.5,
    codes: ["UNAVAILABLE"],
  },
  hedge: undefined,
  circuitBreaker: { trip: { kind: "consecutive", failures: 5 }, openForMs: 60_000, halfOpenSuccesses: 3 },
  bulkhead: { group: "queries", maxConcurrent: 20, maxQueue: 100, queueTimeoutMs: undefined },
  allowedCallers: [],
  criticality: "normal",
  balancer: { kind: "peak-ewma" },
};
const contract: ServicePolicies = {
  service: "shop.user.v1.UserService",
  methods: { getUser, createUser: { ...getUser, idempotent: false, retry: undefined, bulkhead: undefined } },
};

function refusalOf(attempt: (live: LivePolicies) => void): string {
  const live = livePolicies(contract);
  try {
    attempt(live);
  } catch (error) {
    expect(isInvalidPolicies(error)).toBe(true);
    expect(live.current).toBe(contract);
    return (error as Error).message;
  }
  return expect.fail("it should have been refused");
}

test("the policies of the moment can be read and replaced, and who wants to know is told", () => {
  const live = livePolicies(contract);
  const seen: ServicePolicies[] = [];
  const stop = live.onChange((current) => void seen.push(current));
  const next = { ...contract, methods: { ...contract.methods, getUser: { ...getUser, timeoutMs: 50 } } };
  live.replace(next);
  expect(live.current).toBe(next);
  stop();
  live.replace(contract);
  expect(seen).toEqual([next]);
});

test("one method is changed in what is named, and everything else stays as it is now", () => {
  const live = livePolicies(contract);
  const seen: ServicePolicies[] = [];
  live.onChange((current) => void seen.push(current));
  live.change("getUser", { timeoutMs: 50 });
  live.change("getUser", { retry: undefined });
  expect(live.current.methods.getUser).toEqual({ ...getUser, timeoutMs: 50, retry: undefined });
  expect(live.current.methods.createUser).toBe(contract.methods.createUser);
  expect(seen).toHaveLength(2);
  expect(contract.methods.getUser).toBe(getUser);
});

test.each<[what: string, change: Partial<MethodPolicy>, why: RegExp]>([
  ["a timeout of 0", { timeoutMs: 0 }, /getUser: timeoutMs is 0; give milliseconds above 0/],
  [
    "another idempotency",
    { idempotent: false, retry: undefined },
    /getUser: idempotent and idempotencyKey are the contract's/,
  ],
  [
    "an attempt longer than the call",
    { timeoutMs: 10, retry: { ...retry(), perAttemptTimeoutMs: 20 } },
    /perAttemptTimeoutMs is 20; give milliseconds up to timeoutMs, 10/,
  ],
  ["no attempt", { retry: { ...retry(), maxAttempts: 0 } }, /retry.maxAttempts is 0/],
  ["waits that shrink", { retry: { ...retry(), multiplier: 0.5 } }, /retry.multiplier is 0.5/],
  ["a jitter above 1", { retry: { ...retry(), jitter: 2 } }, /retry.jitter is 2/],
  ["a hedge without a delay", { hedge: { delayMs: 0, maxAttempts: 2 } }, /hedge wants a delayMs above 0/],
  [
    "a breaker that no failure opens",
    { circuitBreaker: { ...getUser.circuitBreaker, trip: { kind: "consecutive", failures: 0 } } },
    /circuitBreaker.trip.failures is 0/,
  ],
  [
    "a ratio above 1",
    { circuitBreaker: { ...getUser.circuitBreaker, trip: { kind: "ratio", ratio: 2, volume: 1, windowMs: 1 } } },
    /a ratio above 0 and up to 1/,
  ],
  [
    "a bulkhead without a place",
    { bulkhead: { group: "queries", maxConcurrent: 0, maxQueue: 0, queueTimeoutMs: undefined } },
    /bulkhead queries wants a maxConcurrent of 1/,
  ],
])("%s is refused, and the message names the method", (_what, change, why) => {
  expect(refusalOf((live) => live.change("getUser", change))).toMatch(why);
});

test("a retry of what is neither idempotent nor keyed is refused", () => {
  expect(refusalOf((live) => live.change("createUser", { retry: retry() }))).toMatch(
    /createUser: it is neither idempotent nor keyed/,
  );
});

test("a method that is missing, one too many, two sizes of a group and another service's are refused", () => {
  expect(refusalOf((live) => live.replace({ ...contract, methods: { getUser } }))).toMatch(/createUser: is missing/);
  expect(
    refusalOf((live) => live.replace({ ...contract, methods: { ...contract.methods, dropUser: getUser } })),
  ).toMatch(/dropUser: the contract has no such method/);
  const other = { group: "queries", maxConcurrent: 1, maxQueue: 0, queueTimeoutMs: undefined };
  expect(refusalOf((live) => live.change("createUser", { bulkhead: other }))).toMatch(
    /bulkhead queries has another size elsewhere/,
  );
  expect(refusalOf((live) => live.replace({ ...contract, service: "shop.order.v1.OrderService" }))).toMatch(
    /they are those of shop.order.v1.OrderService/,
  );
  for (const name of ["dropUser", "constructor", "__proto__"])
    expect(refusalOf((live) => live.change(name, {}))).toMatch(`has no method ${name}: it has getUser, createUser`);
});

function retry(): NonNullable<MethodPolicy["retry"]> {
  return getUser.retry as NonNullable<MethodPolicy["retry"]>;
}

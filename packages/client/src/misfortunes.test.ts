import { Code, ConnectError } from "@connectrpc/connect";
import { Health, ServingStatus } from "@weft/contracts";
import { expect, test } from "vitest";
import { createMesh, type Mesh } from "./mesh.ts";
import { createHarness, policies } from "./testing/harness.ts";

const serving = { status: ServingStatus.SERVING };
const bulkhead = { group: "g", maxConcurrent: 2, maxQueue: 0, queueTimeoutMs: undefined };

const endpointOf = (mesh: Mesh, index = 0) => mesh.getState().services[0]?.endpoints[index];

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => (error instanceof ConnectError ? error : expect.fail(`no ConnectError: ${error}`)),
  );
}

test("an interceptor that throws at once costs no place", async () => {
  await using harness = createHarness();
  await harness.start("a", { check: () => serving });
  let isBroken = true;
  const mesh = createMesh({
    service: "test",
    registry: harness.registry,
    interceptors: () => [
      (next) => {
        return (request) => {
          if (isBroken) throw new ConnectError("no token", Code.Unauthenticated);
          return next(request);
        };
      },
    ],
  });
  const client = mesh.client(Health, policies({ bulkhead }));
  for (let i = 0; i < 5; i++) expect((await failureOf(client.check({}))).code).toBe(Code.Unauthenticated);
  expect(endpointOf(mesh)).toMatchObject({ inFlight: 0, bulkheads: [{ running: 0 }] });
  isBroken = false;
  expect(await client.check({})).toMatchObject(serving);
  await mesh.close();
});

test("a policy that was replaced doesn't come back with a call that began before", async () => {
  await using harness = createHarness();
  const gate = Promise.withResolvers<void>();
  let calls = 0;
  await harness.start("a", {
    async check() {
      calls += 1;
      if (calls > 1) return serving;
      await gate.promise;
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ bulkhead }));
  const old = client.check({});
  await expect.poll(() => calls).toBe(1);
  client.policies.replace(policies({ bulkhead: { ...bulkhead, maxConcurrent: 50 } }));
  gate.resolve();
  await old;
  expect(calls).toBe(2);
  expect(endpointOf(mesh)?.bulkheads).toMatchObject([{ maxConcurrent: 50 }]);
  await mesh.close();
});

test("a call whose time is up while it is queued is DEADLINE_EXCEEDED", async () => {
  await using harness = createHarness();
  const gate = Promise.withResolvers<void>();
  const check = async () => {
    await gate.promise;
    return serving;
  };
  await harness.start("a", { check });
  await harness.start("b", { check });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ bulkhead: { ...bulkhead, maxConcurrent: 1, maxQueue: 100 } }));
  const running = [client.check({}), client.check({})];
  await expect.poll(() => [0, 1].map((i) => endpointOf(mesh, i)?.inFlight)).toEqual([1, 1]);
  const queued = Array.from({ length: 30 }, () => failureOf(client.check({}, { timeoutMs: 30 })));
  expect(new Set((await Promise.all(queued)).map(({ code }) => code))).toEqual(new Set([Code.DeadlineExceeded]));
  gate.resolve();
  await Promise.all(running);
  await mesh.close();
});

test("a peer that says at once that somebody's time was up is neither blamed nor asked again", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    check() {
      calls += 1;
      throw new ConnectError("the leaf was slow", Code.DeadlineExceeded);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const retry = policies().methods.check?.retry;
  const client = mesh.client(Health, policies({ retry: retry && { ...retry, perAttemptTimeoutMs: 1_000 } }));
  for (let i = 0; i < 10; i++) expect((await failureOf(client.check({}))).code).toBe(Code.DeadlineExceeded);
  expect(calls).toBe(10);
  expect(endpointOf(mesh)?.breakers).toMatchObject([{ state: "closed", failures: 0 }]);
  await mesh.close();
});

test("an instance that was given what another one had left of the time is not blamed for it", async () => {
  await using harness = createHarness();
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  let attempts = 0;
  await harness.start("a", {
    async check() {
      attempts += 1;
      if (attempts % 2 === 0) await pause(400);
      else await pause(150);
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ timeoutMs: 250 }));
  expect((await failureOf(client.check({}))).code).toBe(Code.DeadlineExceeded);
  expect(attempts).toBe(2);
  expect(endpointOf(mesh)?.breakers).toMatchObject([{ failures: 1, counts: { failures: 1 } }]);
  await mesh.close();
});

test("the error of who answered is told, and not that nobody else would", async () => {
  await using harness = createHarness();
  await harness.start("broken", {
    check() {
      throw new ConnectError("broken", Code.Internal);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const circuitBreaker = {
    trip: { kind: "consecutive", failures: 1 },
    openForMs: 60_000,
    halfOpenSuccesses: 1,
  } as const;
  const client = mesh.client(Health, policies({ circuitBreaker, retry: undefined, idempotent: false }));
  expect((await failureOf(client.check({}))).code).toBe(Code.Internal);
  await harness.start("busy", {
    check() {
      throw new ConnectError("too many", Code.ResourceExhausted, { "x-weft-shed": "overload" });
    },
  });
  await expect.poll(() => mesh.getState().services[0]?.endpoints.length).toBe(2);
  expect((await failureOf(client.check({}))).rawMessage).toBe("too many");
  await mesh.close();
});

test("a caller's cancel is CANCELLED, whatever its reason, also between two attempts", async () => {
  await using harness = createHarness();
  await harness.start("a", {
    check() {
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const retry = policies().methods.check?.retry;
  const slow = retry && { ...retry, baseDelayMs: 2_000, maxDelayMs: 2_000 };
  const client = mesh.client(Health, policies({ retry: slow }));
  const left = new AbortController();
  const call = failureOf(client.check({}, { signal: left.signal }));
  await expect.poll(() => endpointOf(mesh)?.breakers[0]?.failures).toBe(1);
  left.abort(new Error("the page was closed"));
  expect((await call).code).toBe(Code.Canceled);
  await mesh.close();
});

test("a mesh that is closed says so, and sends nothing more", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    check() {
      calls += 1;
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  await client.check({});
  await mesh.close();
  const error = await failureOf(client.check({}));
  expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, "the mesh was closed"]);
  expect(calls).toBe(1);
});

import { Code, ConnectError } from "@connectrpc/connect";
import { createCall, headers, runWithCall } from "@weft/context";
import { Health, ServingStatus } from "@weft/contracts";
import { expect, test } from "vitest";
import { createMesh, type MeshEvent } from "./index.ts";
import { createHarness, policies } from "./testing/harness.ts";

const serving = { status: ServingStatus.SERVING };

function codeOf(error: unknown): Code {
  return ConnectError.from(error).code;
}

test("two instances of a service share its calls, and one that left gets none", async () => {
  await using harness = createHarness();
  const seen: string[] = [];
  const answer = (name: string) => ({
    check() {
      seen.push(name);
      return serving;
    },
  });
  await harness.start("a", answer("a"));
  const { lease } = await harness.start("b", answer("b"));
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  for (let i = 0; i < 10; i++) await client.check({});
  expect(seen.filter((name) => name === "a")).toHaveLength(5);
  expect(seen.filter((name) => name === "b")).toHaveLength(5);

  await lease.release();
  seen.length = 0;
  for (let i = 0; i < 10; i++) await client.check({});
  expect(seen).toEqual(Array(10).fill("a"));
  await mesh.close();
});

test("an idempotent call is retried after UNAVAILABLE, elsewhere, and the caller sees only the answer", async () => {
  await using harness = createHarness();
  let failures = 0;
  const failing = {
    check() {
      failures += 1;
      throw new ConnectError("not now", Code.Unavailable);
    },
  };
  await harness.start("bad", failing);
  await harness.start("good", { check: () => serving });
  const mesh = createMesh({ service: "test", registry: harness.registry, random: () => 0 });
  const events: MeshEvent[] = [];
  mesh.onEvent((event) => events.push(event));
  const client = mesh.client(Health, policies());
  for (let i = 0; i < 4; i++) expect(await client.check({})).toMatchObject(serving);
  expect(failures).toBeGreaterThan(0);
  expect(events).toContainEqual({
    kind: "retry",
    method: "grpc.health.v1.Health/Check",
    attempt: 2,
    code: "UNAVAILABLE",
  });
  await mesh.close();
});

test("a call that is not safe to repeat is sent once", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("bad", {
    check() {
      calls += 1;
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, idempotent: false }));
  expect(codeOf(await client.check({}).catch((error: unknown) => error))).toBe(Code.Unavailable);
  expect(calls).toBe(1);
  await mesh.close();
});

test("five failures in a row open the endpoint's circuit: it gets no more calls, and its state says so", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("bad", {
    check() {
      calls += 1;
      throw new ConnectError("broken", Code.Internal);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const events: MeshEvent[] = [];
  mesh.onEvent((event) => events.push(event));
  const client = mesh.client(Health, policies({ retry: undefined }));
  for (let i = 0; i < 5; i++) expect(codeOf(await client.check({}).catch((e: unknown) => e))).toBe(Code.Internal);
  const rejected = await client.check({}).catch((error: unknown) => error);
  expect(codeOf(rejected)).toBe(Code.Unavailable);
  expect(String(rejected)).toContain("circuits of all 1 instances of grpc.health.v1.Health are open");
  expect(calls).toBe(5);
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "open" });
  expect(events).toContainEqual({ kind: "circuit", service: "grpc.health.v1.Health", instance: "bad", state: "open" });
  await mesh.close();
});

test("a client error leaves the circuit closed", async () => {
  await using harness = createHarness();
  await harness.start("strict", {
    check() {
      throw new ConnectError("no such user", Code.NotFound);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  for (let i = 0; i < 10; i++) expect(codeOf(await client.check({}).catch((e: unknown) => e))).toBe(Code.NotFound);
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "closed" });
  await mesh.close();
});

test("an UNAVAILABLE that an instance only passes on leaves its circuit closed, and is passed on further", async () => {
  await using harness = createHarness();
  await harness.start("well", {
    check() {
      throw new ConnectError("my database's keeper is away", Code.Unavailable, {
        [headers.unavailablePeer]: "shop.Other",
      });
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined }));
  const call = createCall();
  for (let i = 0; i < 10; i++) {
    const failed = await runWithCall(call, () => client.check({})).catch((error: unknown) => error);
    expect(codeOf(failed)).toBe(Code.Unavailable);
  }
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "closed" });
  expect(call.downstream.unavailable).toBe("grpc.health.v1.Health");
  await mesh.close();
});

test("the contract's timeout ends a call that takes too long, with DEADLINE_EXCEEDED", async () => {
  await using harness = createHarness();
  await harness.start("slow", { check: (_request, { signal }) => untilAborted(signal) });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ timeoutMs: 50 }));
  expect(codeOf(await client.check({}).catch((error: unknown) => error))).toBe(Code.DeadlineExceeded);
  await mesh.close();
});

test("a call inherits what is left of its caller's time, and is not sent when nothing is", async () => {
  await using harness = createHarness();
  const timeouts: (number | undefined)[] = [];
  await harness.start("a", {
    check(_request, context) {
      timeouts.push(context.timeoutMs());
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  await runWithCall(createCall({ deadline: performance.now() + 1_000 }), () => client.check({}));
  expect(timeouts[0]).toBeLessThanOrEqual(1_000);
  const expired = runWithCall(createCall({ deadline: performance.now() - 1 }), () => client.check({}));
  expect(codeOf(await expired.catch((error: unknown) => error))).toBe(Code.DeadlineExceeded);
  expect(timeouts).toHaveLength(1);
  await mesh.close();
});

test("a caller's cancel ends the call, and speaks against nobody", async () => {
  await using harness = createHarness();
  await harness.start("slow", { check: (_request, { signal }) => untilAborted(signal) });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  for (let i = 0; i < 6; i++) {
    const controller = new AbortController();
    const call = client.check({}, { signal: controller.signal });
    setImmediate(() => controller.abort());
    expect(codeOf(await call.catch((error: unknown) => error))).toBe(Code.Canceled);
  }
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "closed", failures: 0 });
  await mesh.close();
});

test("an attempt that takes too long is given up and repeated elsewhere within the call's time", async () => {
  await using harness = createHarness();
  await harness.start("stuck", { check: (_request, { signal }) => untilAborted(signal) });
  await harness.start("well", { check: () => serving });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const retry = { ...policies().methods.check?.retry, perAttemptTimeoutMs: 30 } as NonNullable<
    ReturnType<typeof policies>["methods"][string]["retry"]
  >;
  const client = mesh.client(Health, policies({ retry }));
  for (let i = 0; i < 4; i++) expect(await client.check({})).toMatchObject(serving);
  await mesh.close();
});

test("a hedged call that gets no answer in time goes to another instance too, and the slow attempt is cancelled", async () => {
  await using harness = createHarness();
  const cancelled = Promise.withResolvers<void>();
  await harness.start("stuck", {
    check(_request, { signal }) {
      signal.addEventListener("abort", () => cancelled.resolve(), { once: true });
      return untilAborted(signal);
    },
  });
  await harness.start("well", { check: () => serving });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, hedge: { delayMs: 20, maxAttempts: 2 } }));
  for (let i = 0; i < 2; i++) expect(await client.check({})).toMatchObject(serving);
  await cancelled.promise;
  await mesh.close();
});

test("a hedged call whose attempts all fail ends with the last one's error", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("bad", {
    check() {
      calls += 1;
      throw new ConnectError(`failure ${calls}`, Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, hedge: { delayMs: 10_000, maxAttempts: 3 } }));
  const error = await client.check({}).catch((reason: unknown) => reason);
  expect(String(error)).toContain("failure 3");
  expect(calls).toBe(3);
  await mesh.close();
});

test("all attempts of a keyed call carry one key", async () => {
  await using harness = createHarness();
  const keys: (string | null)[] = [];
  await harness.start("a", {
    check(_request, { requestHeader }) {
      keys.push(requestHeader.get(headers.idempotencyKey));
      if (keys.length < 3) throw new ConnectError("not now", Code.Unavailable);
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ idempotencyKey: true, idempotent: false }));
  await client.check({});
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  await client.check({}, { headers: { [headers.idempotencyKey]: "mine" } });
  expect(keys.at(-1)).toBe("mine");
  await mesh.close();
});

test("what runs for a key derives the keys of its own calls from it, so that its repeat repeats them", async () => {
  await using harness = createHarness();
  let keys: (string | null)[] = [];
  await harness.start("a", {
    check(_request, { requestHeader }) {
      keys.push(requestHeader.get(headers.idempotencyKey));
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ idempotencyKey: true, idempotent: false }));
  const run = (idempotencyKey: string) =>
    runWithCall(createCall({ idempotencyKey }), async () => {
      keys = [];
      await client.check({});
      await client.check({});
      return keys;
    });
  const first = await run("event-1");
  expect(first[0]).not.toBe(first[1]);
  expect(await run("event-1")).toEqual(first);
  expect(await run("event-2")).not.toContain(first[0]);
  await mesh.close();
});

test("a call says who calls and on whose behalf", async () => {
  await using harness = createHarness();
  let header = new Headers();
  await harness.start("a", {
    check(_request, { requestHeader }) {
      header = requestHeader;
      return serving;
    },
  });
  const mesh = createMesh({ service: "order", registry: harness.registry });
  const client = mesh.client(Health, policies());
  await runWithCall(createCall({ correlationId: "c-1" }), () => client.check({}));
  expect(header.get(headers.caller)).toBe("order");
  expect(header.get(headers.correlationId)).toBe("c-1");
  await mesh.close();
});

test("the bulkhead keeps the calls to an endpoint within the group's size", async () => {
  await using harness = createHarness();
  let running = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  await harness.start("a", {
    async check() {
      running += 1;
      most = Math.max(most, running);
      await gate.promise;
      running -= 1;
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const bulkhead = { group: "g", maxConcurrent: 2, maxQueue: 1, queueTimeoutMs: undefined };
  const client = mesh.client(Health, policies({ bulkhead, retry: undefined }));
  const calls = Array.from({ length: 4 }, () => client.check({}).then(() => "ok", codeOf));
  await expect.poll(() => running).toBe(2);
  expect(await Promise.race(calls)).toBe(Code.Unavailable);
  expect(mesh.getState().services[0]?.endpoints[0]?.bulkheads[0]).toMatchObject({ group: "g", running: 2, queued: 1 });
  gate.resolve();
  expect((await Promise.all(calls)).filter((result) => result === "ok")).toHaveLength(3);
  expect(most).toBe(2);
  await mesh.close();
});

test("a stream holds its place until its reader has had enough", async () => {
  await using harness = createHarness();
  await harness.start("a", {
    async *watch() {
      for (;;) yield serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const bulkhead = { group: "g", maxConcurrent: 1, maxQueue: 0, queueTimeoutMs: undefined };
  const client = mesh.client(Health, policies({ bulkhead }));
  const state = () => mesh.getState().services[0]?.endpoints[0];
  let messages = 0;
  for await (const message of client.watch({})) {
    expect(message).toMatchObject(serving);
    expect(state()).toMatchObject({ inFlight: 1 });
    messages += 1;
    if (messages === 3) break;
  }
  await expect.poll(() => state()?.inFlight).toBe(0);
  expect(state()?.bulkheads[0]).toMatchObject({ running: 0 });
  await mesh.close();
});

test("a stream that fails before its first message is retried", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    async *watch() {
      calls += 1;
      if (calls < 3) throw new ConnectError("not now", Code.Unavailable);
      yield serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  const statuses: ServingStatus[] = [];
  for await (const { status } of client.watch({})) statuses.push(status);
  expect(statuses).toEqual([ServingStatus.SERVING]);
  expect(calls).toBe(3);
  await mesh.close();
});

test("a service that nobody offers is UNAVAILABLE, and the message says so", async () => {
  await using harness = createHarness();
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined }));
  const error = await client.check({}).catch((reason: unknown) => reason);
  expect(codeOf(error)).toBe(Code.Unavailable);
  expect(String(error)).toContain("no instance of grpc.health.v1.Health is registered");
  await mesh.close();
});

test("a client made with another contract's policies is refused", async () => {
  await using harness = createHarness();
  const mesh = createMesh({ service: "test", registry: harness.registry });
  expect(() => mesh.client(Health, { service: "other.Service", methods: {} })).toThrow(/policies of other.Service/);
  await mesh.close();
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
}

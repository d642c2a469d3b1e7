import { once } from "node:events";
import { Code, ConnectError } from "@connectrpc/connect";
import { createCall, headers, runWithCall } from "@weft/context";
import { Health, ServingStatus } from "@weft/contracts";
import { expect, test } from "vitest";
import { createMesh } from "./index.ts";
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
  // Many at once: of calls one after the other, the quicker instance gets nearly all.
  await Promise.all(Array.from({ length: 100 }, () => client.check({})));
  for (const name of ["a", "b"]) expect(seen.filter((each) => each === name).length).toBeGreaterThan(4);

  await lease.release();
  seen.length = 0;
  for (let i = 0; i < 10; i++) await client.check({});
  expect(seen).toEqual(Array(10).fill("a"));
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

test("an instance that leaves finishes what it has begun", async () => {
  await using harness = createHarness();
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { lease } = await harness.start("a", {
    async check() {
      started.resolve();
      await gate.promise;
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const call = mesh.client(Health, policies({ retry: undefined })).check({});
  await started.promise;
  await lease.release();
  await expect.poll(() => mesh.getState().services[0]?.endpoints).toEqual([]);
  gate.resolve();
  expect(await call).toMatchObject(serving);
  await mesh.close();
});

test("a listener that throws spoils no call", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    check() {
      calls += 1;
      if (calls === 1) throw new ConnectError("not now", Code.Unavailable);
      return serving;
    },
  });
  const warned = once(process, "warning");
  const mesh = createMesh({ service: "test", registry: harness.registry });
  mesh.onEvent(() => {
    throw new Error("a listener's bug");
  });
  expect(await mesh.client(Health, policies()).check({})).toMatchObject(serving);
  expect(String((await warned)[0])).toContain("a listener's bug");
  await mesh.close();
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
}

test.each([
  ["wire", /^grpc-node-weft\//],
  ["connect-node", /^connect-es\//],
  ["grpc-js", /^grpc-node-js\//],
] as const)("calls go by the transport that is set: %s", async (transport, expected) => {
  await using harness = createHarness();
  let agent: string | null = "";
  await harness.start("a", {
    check(_request, { requestHeader }) {
      agent = requestHeader.get("user-agent");
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry, transport });
  await mesh.client(Health, policies()).check({});
  expect(agent).toMatch(expected);
  await mesh.close();
});

test("interceptors stand around each attempt, and know where it goes", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    check() {
      calls += 1;
      if (calls === 1) throw new ConnectError("not now", Code.Unavailable);
      return serving;
    },
  });
  const attempts: string[] = [];
  const mesh = createMesh({
    service: "test",
    registry: harness.registry,
    interceptors: ({ instance }) => [
      (next) => (request) => {
        attempts.push(`${instance} ${request.method.name}`);
        return next(request);
      },
    ],
  });
  await mesh.client(Health, policies()).check({});
  expect(attempts).toEqual(["a Check", "a Check"]);
  await mesh.close();
});

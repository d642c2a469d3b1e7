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

test("a call that used all the time of its contract speaks against the instance that gave no answer", async () => {
  await using harness = createHarness();
  await harness.start("stuck", { check: (_request, { signal }) => untilAborted(signal) });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, timeoutMs: 20 }));
  for (let i = 0; i < 5; i++)
    expect(codeOf(await client.check({}).catch((e: unknown) => e))).toBe(Code.DeadlineExceeded);
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "open" });
  await mesh.close();
});

test("a call whose caller had less time speaks neither for nor against the instance", async () => {
  await using harness = createHarness();
  await harness.start("slow", { check: (_request, { signal }) => untilAborted(signal) });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined }));
  for (let i = 0; i < 6; i++) await client.check({}, { timeoutMs: 20 }).catch(() => {});
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "closed", failures: 0 });
  await mesh.close();
});

test("a long stream is a successful probe from its first message on, and holds no half-open circuit shut", async () => {
  await using harness = createHarness();
  let broken = true;
  await harness.start("a", {
    check() {
      if (broken) throw new ConnectError("broken", Code.Internal);
      return serving;
    },
    async *watch(_request, { signal }) {
      yield serving;
      await untilAborted(signal);
    },
  });
  const circuitBreaker = { trip: { kind: "consecutive", failures: 1 }, openForMs: 0, halfOpenSuccesses: 3 } as const;
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, circuitBreaker }));
  await client.check({}).catch(() => {});
  broken = false;
  const left = new AbortController();
  const streams = Array.from({ length: 3 }, () => client.watch({}, { signal: left.signal })[Symbol.asyncIterator]());
  for (const stream of streams) await stream.next();
  expect(await client.check({})).toMatchObject(serving);
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "closed" });
  left.abort();
  await mesh.close();
});

test("a call that finds every circuit open is told as rejected", async () => {
  await using harness = createHarness();
  await harness.start("bad", {
    check() {
      throw new ConnectError("broken", Code.Internal);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const events: MeshEvent[] = [];
  mesh.onEvent((event) => events.push(event));
  const client = mesh.client(Health, policies({ retry: undefined }));
  for (let i = 0; i < 6; i++) await client.check({}).catch(() => {});
  const method = "grpc.health.v1.Health/Check";
  expect(events.filter(({ kind }) => kind === "rejected")).toEqual([
    { kind: "rejected", method, instance: "bad", cause: "circuit" },
  ]);
  await mesh.close();
});

test("an instance that is down for a while keeps its circuit", async () => {
  await using harness = createHarness();
  const { lease } = await harness.start("bad", {
    check() {
      throw new ConnectError("broken", Code.Internal);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined }));
  for (let i = 0; i < 5; i++) await client.check({}).catch(() => {});
  await lease.update({ state: "DOWN" });
  await expect.poll(() => mesh.getState().services[0]?.endpoints).toEqual([]);
  await lease.update({ state: "UP" });
  await expect.poll(() => mesh.getState().services[0]?.endpoints).toHaveLength(1);
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]).toMatchObject({ state: "open" });
  await mesh.close();
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
}

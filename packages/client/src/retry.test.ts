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
  // Sooner or later the balancer sends the first attempt to the one that is stuck.
  let isCancelled = false;
  cancelled.promise.then(() => {
    isCancelled = true;
  });
  while (!isCancelled) expect(await client.check({})).toMatchObject(serving);
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

test("a hedged call is sent again when the server says, and not at all where it says never", async () => {
  await using harness = createHarness();
  const pushbacks = ["20", "-1"];
  let calls = 0;
  await harness.start("busy", {
    check() {
      calls += 1;
      throw new ConnectError(`failure ${calls}`, Code.Unavailable, {
        "grpc-retry-pushback-ms": pushbacks.shift() ?? "",
      });
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, hedge: { delayMs: 10_000, maxAttempts: 3 } }));
  const error = await client.check({}, { timeoutMs: 4_000 }).catch((reason: unknown) => reason);
  expect(String(error)).toContain("failure 2");
  expect(calls).toBe(2);
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

test("a hedged call's answer that any instance would give ends it at once", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    check() {
      calls += 1;
      throw new ConnectError("no such user", Code.NotFound);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, hedge: { delayMs: 10_000, maxAttempts: 3 } }));
  expect(codeOf(await client.check({}).catch((error: unknown) => error))).toBe(Code.NotFound);
  expect(calls).toBe(1);
  await mesh.close();
});

test("what retries did can be read, and the end of one is told", async () => {
  await using harness = createHarness();
  await harness.start("bad", {
    check() {
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const events: MeshEvent[] = [];
  mesh.onEvent((event) => events.push(event));
  await mesh
    .client(Health, policies())
    .check({})
    .catch(() => {});
  const method = "grpc.health.v1.Health/Check";
  expect(mesh.getState().services[0]?.retries[method]).toMatchObject({
    calls: 1,
    attempts: 3,
    gaveUp: { attempts: 1 },
  });
  expect(events).toContainEqual({ kind: "gave-up", method, attempt: 3, code: "UNAVAILABLE", reason: "attempts" });
  await mesh.close();
});

test("a retry that the caller's time doesn't allow is not waited for", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("bad", {
    check() {
      calls += 1;
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const base = policies().methods.check?.retry;
  const retry = base && { ...base, baseDelayMs: 5_000, maxDelayMs: 5_000 };
  const client = mesh.client(Health, policies({ retry }));
  expect(codeOf(await client.check({}, { timeoutMs: 1_000 }).catch((e: unknown) => e))).toBe(Code.Unavailable);
  expect(calls).toBe(1);
  await mesh.close();
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
}

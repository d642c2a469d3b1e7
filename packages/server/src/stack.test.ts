import { Code, ConnectError, createClient, type ServiceImpl, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { currentCall, headers, remainingMs, systemClock } from "@weft/context";
import { Health, ServingStatus } from "@weft/contracts";
import { livePolicies, type MethodPolicy } from "@weft/policy";
import { listen } from "@weft/rpc";
import { createLogger, silentLogger } from "@weft/telemetry";
import { describe, expect, onTestFinished, test } from "vitest";
import { layered } from "./layer.ts";
import { Bulkheads } from "./layers/bulkhead.ts";
import { createLoadGuard, type LoadGuard } from "./layers/concurrency.ts";
import { inFlightLayer } from "./layers/in-flight.ts";
import { servedMethod } from "./serve.ts";
import { serverStack } from "./stack.ts";
import { policies } from "./testing/policies.ts";

const serving = { status: ServingStatus.SERVING };

/** The stack alone: the health service stands for any contract here, and so startServer's own must not be in the way. */
async function open(
  transportTo: (baseUrl: string) => Transport,
  implementation: Partial<ServiceImpl<typeof Health>>,
  policy: Partial<MethodPolicy> = {},
  logger = silentLogger,
  guard?: LoadGuard,
) {
  const live = livePolicies(policies(policy));
  const bulkheads = new Bulkheads();
  bulkheads.follow([live.current]);
  const { layer, inFlight } = inFlightLayer();
  const stack = serverStack({
    bulkheads,
    inFlight: layer,
    ...(guard && { guard }),
    draining: new AbortController().signal,
    logger,
    clock: systemClock,
  });
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    routes: (router) =>
      router.service(
        Health,
        layered(Health, implementation, stack, (method) => servedMethod(method, live)),
      ),
  });
  onTestFinished(() => listener.close());
  const client = createClient(Health, transportTo(`http://127.0.0.1:${listener.port}`));
  return { client, inFlight, bulkheads, live };
}

const protocols: Record<string, (baseUrl: string) => Transport> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-Web": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" }),
};

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => ConnectError.from(error),
  );
}

describe.each(Object.entries(protocols))("the server stack over %s", (_name, transportTo) => {
  test("hides what a handler threw, and logs it", async () => {
    const lines: string[] = [];
    const logger = createLogger({ service: "test", destination: { write: (line) => void lines.push(line) } });
    const check = () => {
      throw new Error("password=hunter2");
    };
    const { client } = await open(transportTo, { check }, {}, logger);
    const error = await failureOf(client.check({}));
    expect(error.code).toBe(Code.Internal);
    expect(error.message).not.toContain("hunter2");
    expect(lines.join("")).toContain("hunter2");
  });

  test("hides what a stream threw after its first message", async () => {
    const watch = async function* () {
      yield serving;
      throw new Error("password=hunter2");
    };
    const { client } = await open(transportTo, { watch });
    const read = async () => {
      for await (const _ of client.watch({}));
    };
    const error = await failureOf(read());
    expect(error.code).toBe(Code.Internal);
    expect(error.message).not.toContain("hunter2");
  });

  test("gives handlers, streams too, the call that they run for", async () => {
    const seen: unknown[] = [];
    const look = () => {
      const call = currentCall();
      const remaining = remainingMs(call) ?? Number.NaN;
      seen.push([call?.correlationId, call?.caller, remaining > 0 && remaining <= 1_000]);
    };
    const { client } = await open(transportTo, {
      check() {
        look();
        return serving;
      },
      async *watch() {
        look();
        yield serving;
        await Promise.resolve();
        look();
      },
    });
    const options = { timeoutMs: 1_000, headers: { [headers.correlationId]: "c-1", [headers.caller]: "order" } };
    await client.check({}, options);
    for await (const _ of client.watch({}, options));
    expect(seen).toEqual(Array(3).fill(["c-1", "order", true]));
  });

  test("names the service that was away, when it only passes an UNAVAILABLE on", async () => {
    let away: string | undefined = "shop.Other";
    const check = () => {
      const call = currentCall();
      if (call) call.downstream.unavailable = away;
      // As a client throws what a peer said: Connect sends none of its metadata on.
      const error = new ConnectError("try again", Code.Unavailable);
      error.isWireError = true;
      throw error;
    };
    const { client } = await open(transportTo, { check });
    expect((await failureOf(client.check({}))).metadata.get(headers.unavailablePeer)).toBe("shop.Other");
    away = undefined;
    expect((await failureOf(client.check({}))).metadata.has(headers.unavailablePeer)).toBe(false);
  });

  test("ends a call that takes longer than its contract allows, whose places are taken until its handler has ended", async () => {
    const gate = Promise.withResolvers<void>();
    const check = async () => {
      await gate.promise;
      return serving;
    };
    const { client, inFlight } = await open(transportTo, { check }, { timeoutMs: 50 });
    expect((await failureOf(client.check({}))).code).toBe(Code.DeadlineExceeded);
    expect(inFlight.count).toBe(1);
    gate.resolve();
    await expect.poll(() => inFlight.count).toBe(0);
  });

  test("ends a stream that takes longer than its contract allows", async () => {
    const watch = async function* () {
      yield serving;
      await new Promise(() => {});
    };
    const { client, inFlight } = await open(transportTo, { watch }, { timeoutMs: 50 });
    const read = async () => {
      for await (const _ of client.watch({}));
    };
    expect((await failureOf(read())).code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => inFlight.count).toBe(0);
  });

  test("refuses what finds the group's places and queue taken, and lets the others through", async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const check = async () => {
      running += 1;
      await gate.promise;
      return serving;
    };
    const bulkhead = { group: "g", maxConcurrent: 2, maxQueue: 1, queueTimeoutMs: undefined };
    const { client, bulkheads } = await open(transportTo, { check }, { bulkhead });
    const calls = Array.from({ length: 4 }, () =>
      client.check({}).then(
        () => "ok",
        (e: unknown) => ConnectError.from(e).code,
      ),
    );
    expect(await Promise.race(calls)).toBe(Code.ResourceExhausted);
    expect(running).toBe(2);
    expect(bulkheads.get("g")?.getState()).toMatchObject({ running: 2, queued: 1 });
    gate.resolve();
    expect((await Promise.all(calls)).filter((result) => result === "ok")).toHaveLength(3);
  });

  test("sheds what the server finds out that it can't do, before it is begun, and says that it never was", async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const check = async () => {
      running += 1;
      await gate.promise;
      return serving;
    };
    const guard = createLoadGuard({ initialLimit: 4, minLimit: 4, maxLimit: 4 }, systemClock);
    onTestFinished(() => guard.close());
    const { client } = await open(transportTo, { check }, {}, silentLogger, guard);
    const calls = Array.from({ length: 4 }, () => client.check({}));
    await expect.poll(() => running).toBe(4);
    const shed = await failureOf(client.check({}));
    expect([shed.code, shed.metadata.get(headers.shed)]).toEqual([Code.ResourceExhausted, "overload"]);
    expect(running).toBe(4);
    gate.resolve();
    await Promise.all(calls);
    expect(await client.check({})).toMatchObject(serving);
    expect(guard.limit.getState()).toMatchObject({ inFlight: 0, rejected: { normal: 1 } });
  });

  test("an overloaded event loop begins what it admitted when it knows what it refuses, each call in its own context", async () => {
    const guard = createLoadGuard({ initialLimit: 200 }, systemClock);
    onTestFinished(() => guard.close());
    let decidedAtFirst: number | undefined;
    const seen: string[] = [];
    const check = async () => {
      const { admitted, rejectedByLoop } = guard.limit.getState();
      if (guard.limit.isLoopOverloaded) decidedAtFirst ??= admitted + rejectedByLoop;
      seen.push(currentCall()?.correlationId ?? "none");
      return serving;
    };
    const { client } = await open(transportTo, { check }, {}, silentLogger, guard);
    await client.check({}, { headers: { [headers.correlationId]: "first" } });
    const now = systemClock.now();
    for (const at of [now, now + 60, now + 120]) guard.limit.observeLoop(50, 1, at);
    const names = Array.from({ length: 10 }, (_, i) => `call-${i}`);
    const calls = names.map((name) => client.check({}, { headers: { [headers.correlationId]: name } }));
    const ended = await Promise.allSettled(calls);
    const answered = names.filter((_, i) => ended[i]?.status === "fulfilled");
    expect(decidedAtFirst).toBeGreaterThan(2);
    expect(answered).not.toEqual([]);
    expect(seen).toEqual(["first", ...answered]);
  });

  test("a call that waits for another service takes no place of those that the server can serve", async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const check = async () => {
      running += 1;
      currentCall()?.downstream.onCall?.();
      await gate.promise;
      return serving;
    };
    const guard = createLoadGuard({ initialLimit: 4, minLimit: 4, maxLimit: 4 }, systemClock);
    onTestFinished(() => guard.close());
    const { client } = await open(transportTo, { check }, {}, silentLogger, guard);
    const calls = Array.from({ length: 10 }, () => client.check({}));
    await expect.poll(() => running).toBe(10);
    expect(guard.limit.getState()).toMatchObject({ inFlight: 0, rejected: { normal: 0 } });
    gate.resolve();
    await Promise.all(calls);
    expect(guard.limit.getState()).toMatchObject({ inFlight: 0 });
  });

  test("follows policies that are replaced, from the next call on", async () => {
    const check = () => new Promise<typeof serving>((resolve) => setTimeout(() => resolve(serving), 100));
    const { client, live } = await open(transportTo, { check });
    expect(await client.check({})).toMatchObject(serving);
    live.replace(policies({ timeoutMs: 10 }));
    expect((await failureOf(client.check({}))).code).toBe(Code.DeadlineExceeded);
    live.replace(policies());
    expect(await client.check({})).toMatchObject(serving);
  });

  test("does not start a call whose time passed while it was queued", async () => {
    let started = 0;
    const gate = Promise.withResolvers<void>();
    const check = async () => {
      started += 1;
      await gate.promise;
      return serving;
    };
    const bulkhead = { group: "g", maxConcurrent: 1, maxQueue: 5, queueTimeoutMs: undefined };
    const { client, bulkheads } = await open(transportTo, { check }, { bulkhead });
    const first = client.check({});
    await expect.poll(() => started).toBe(1);
    expect((await failureOf(client.check({}, { timeoutMs: 30 }))).code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => bulkheads.get("g")?.getState().queued).toBe(0);
    gate.resolve();
    await first;
    expect(started).toBe(1);
  });

  test("keeps a caller out that the contract doesn't allow", async () => {
    const { client } = await open(transportTo, { check: () => serving }, { allowedCallers: ["order"] });
    expect((await failureOf(client.check({}))).code).toBe(Code.PermissionDenied);
    expect((await failureOf(client.check({}, { headers: { [headers.caller]: "user" } }))).code).toBe(
      Code.PermissionDenied,
    );
    expect(await client.check({}, { headers: { [headers.caller]: "order" } })).toMatchObject(serving);
  });
});

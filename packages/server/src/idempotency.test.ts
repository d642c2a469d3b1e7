import { Code, ConnectError, createClient, type ServiceImpl, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { currentCall, headers } from "@weft/context";
import { Health, ServingStatus } from "@weft/contracts";
import { livePolicies } from "@weft/policy";
import { listen } from "@weft/rpc";
import { describe, expect, onTestFinished, test } from "vitest";
import { idempotencyLayer } from "./idempotency.ts";
import { layered } from "./layer.ts";
import { servedMethod } from "./serve.ts";
import { createMemoryCommands } from "./testing/memory-commands.ts";
import { policies } from "./testing/policies.ts";

const serving = { status: ServingStatus.SERVING };
type Check = ServiceImpl<typeof Health>["check"];

async function open(transportTo: (baseUrl: string) => Transport, check: Check) {
  const commands = createMemoryCommands();
  const live = livePolicies(policies({ idempotencyKey: true }));
  const layers = [idempotencyLayer(commands.store)];
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    routes: (router) =>
      router.service(
        Health,
        layered(Health, { check }, layers, (method) => servedMethod(method, live)),
      ),
  });
  onTestFinished(() => listener.close());
  const client = createClient(Health, transportTo(`http://127.0.0.1:${listener.port}`));
  const call = async (key: string | undefined, service = "") => {
    let replayed: string | null = null;
    const response = await client.check(
      { service },
      {
        headers: key === undefined ? {} : { [headers.idempotencyKey]: key },
        onHeader: (header) => {
          replayed = header.get(headers.idempotentReplay);
        },
      },
    );
    return { status: response.status, replayed };
  };
  return { call, commands };
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => ConnectError.from(error),
  );
}

describe.each([
  ["gRPC", (baseUrl: string) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
  ["Connect", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "2" })],
] as const)("a keyed method over %s", (_name, transportTo) => {
  test("runs once a key, and a repeat gets the stored answer, marked as such", async () => {
    let runs = 0;
    const { call } = await open(transportTo, () => {
      runs += 1;
      return serving;
    });
    expect(await call("k-1")).toEqual({ ...serving, replayed: null });
    expect(await call("k-1")).toEqual({ ...serving, replayed: "true" });
    expect(runs).toBe(1);
    await call("k-2");
    await call(undefined);
    await call(undefined);
    expect(runs).toBe(4);
  });

  test("refuses another request under a key that was used, and a key that is none", async () => {
    const { call } = await open(transportTo, () => serving);
    await call("k-1", "a");
    const other = await failureOf(call("k-1", "b"));
    expect(other.code).toBe(Code.InvalidArgument);
    expect(other.message).toContain("k-1 was used for another request");
    expect((await failureOf(call("x".repeat(256)))).code).toBe(Code.InvalidArgument);
  });

  test("lets calls that come at once wait for the first one's answer", async () => {
    let runs = 0;
    const gate = Promise.withResolvers<void>();
    const { call } = await open(transportTo, async () => {
      runs += 1;
      await gate.promise;
      return serving;
    });
    const calls = Array.from({ length: 5 }, () => call("k-1"));
    await expect.poll(() => runs).toBe(1);
    gate.resolve();
    const answers = await Promise.all(calls);
    expect(runs).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === "true")).toHaveLength(4);
  });

  test("can be tried again after it failed", async () => {
    let runs = 0;
    const { call } = await open(transportTo, () => {
      runs += 1;
      if (runs === 1) throw new ConnectError("no stock", Code.FailedPrecondition);
      return serving;
    });
    expect((await failureOf(call("k-1"))).code).toBe(Code.FailedPrecondition);
    expect(await call("k-1")).toMatchObject(serving);
    expect(runs).toBe(2);
  });

  test("is taken over after its owner's lease, whose late answer counts for nothing", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    let runs = 0;
    const { call, commands } = await open(transportTo, async () => {
      runs += 1;
      await gates[runs - 1]?.promise;
      return serving;
    });
    const first = call("k-1");
    await expect.poll(() => runs).toBe(1);
    commands.endLeases();
    const second = call("k-1");
    await expect.poll(() => runs).toBe(2);
    gates[1].resolve();
    await second;
    gates[0].resolve();
    await first;
    expect(await call("k-1")).toMatchObject({ replayed: "true" });
    expect(runs).toBe(2);
  });

  test("keeps what was stored together with its change, also when its handler fails afterwards", async () => {
    let runs = 0;
    const { call, commands } = await open(transportTo, async () => {
      runs += 1;
      const command = currentCall()?.command;
      if (!command) return expect.fail("no command");
      command.stored = true;
      throw new ConnectError("lost on the way out", Code.Unavailable);
    });
    await failureOf(call("k-1"));
    // Not released: the key stays taken until its lease ends, when the store would answer the stored bytes.
    commands.endLeases();
    await failureOf(call("k-1"));
    expect(runs).toBe(2);
  });
});

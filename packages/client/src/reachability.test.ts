import { Code, ConnectError } from "@connectrpc/connect";
import { headers } from "@weft/context";
import { Health, ServingStatus } from "@weft/contracts";
import { listen } from "@weft/rpc";
import { expect, test } from "vitest";
import { createMesh } from "./mesh.ts";
import type { MeshEvent } from "./mesh-event.ts";
import { createHarness, policies } from "./testing/harness.ts";

const serving = { status: ServingStatus.SERVING };
const check = () => serving;

test("an instance that can't be reached gets no calls, and gets them again as soon as it answers", async () => {
  await using harness = createHarness();
  await harness.start("well", { check });
  const { listener } = await harness.start("gone", { check });
  const { host, port } = listener;
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const events: MeshEvent[] = [];
  mesh.onEvent((event) => void events.push(event));
  // Not safe to repeat: one that the dead instance never saw goes elsewhere all the same.
  const client = mesh.client(Health, policies({ retry: undefined, idempotent: false }));
  await Promise.all(Array.from({ length: 20 }, () => client.check({})));

  await listener.close();
  const reachable = (): (boolean | undefined)[] =>
    mesh.getState().services[0]?.endpoints.map((endpoint) => endpoint.reachable) ?? [];
  await expect
    .poll(async () => {
      await Promise.all(Array.from({ length: 20 }, () => client.check({})));
      return reachable();
    })
    .toContain(false);
  for (let i = 0; i < 20; i++) expect(await client.check({})).toMatchObject(serving);

  let calls = 0;
  const again = await listen({
    host,
    port,
    routes: (router) =>
      router.service(Health, {
        check() {
          calls += 1;
          return serving;
        },
      }),
  });
  await expect.poll(reachable, { timeout: 5_000 }).toEqual([true, true]);
  await expect
    .poll(async () => {
      await Promise.all(Array.from({ length: 20 }, () => client.check({})));
      return calls;
    })
    .toBeGreaterThan(20);
  const connection = events.flatMap((event) =>
    event.kind === "connection" ? [[event.instance, event.reachable]] : [],
  );
  expect(connection).toEqual([
    ["gone", false],
    ["gone", true],
  ]);
  await mesh.close();
  await again.close();
});

test("the only instance is called although it can't be reached: there is nothing better to do", async () => {
  await using harness = createHarness();
  const { listener } = await harness.start("gone", { check });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  await client.check({});
  await listener.close();
  for (let i = 0; i < 3; i++) {
    const error = ConnectError.from(await client.check({}).catch((reason: unknown) => reason));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).not.toContain("registered");
  }
  await mesh.close();
});

test("a call that a server was too busy to begin goes elsewhere, once, whatever its method", async () => {
  await using harness = createHarness();
  let shed = 0;
  const busy = (): never => {
    shed += 1;
    throw new ConnectError("too many calls", Code.ResourceExhausted, { [headers.shed]: "overload" });
  };
  await harness.start("busy", { check: busy });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, idempotent: false }));
  const alone = ConnectError.from(await client.check({}).catch((reason: unknown) => reason));
  expect([alone.code, shed]).toEqual([Code.ResourceExhausted, 1]);

  await harness.start("well", { check });
  await expect.poll(() => mesh.getState().services[0]?.endpoints.length).toBe(2);
  for (let i = 0; i < 10; i++) expect(await client.check({})).toMatchObject(serving);

  await mesh.close();
});

test("the server says how long a retry is to wait, and whether there is to be one", async () => {
  await using harness = createHarness();
  const seen: number[] = [];
  await harness.start("a", {
    check({ service }) {
      seen.push(performance.now());
      throw new ConnectError("later", Code.Unavailable, { "grpc-retry-pushback-ms": service });
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const gaveUp: string[] = [];
  mesh.onEvent((event) => {
    if (event.kind === "gave-up") gaveUp.push(event.reason);
  });
  const retry = policies().methods.check?.retry;
  const client = mesh.client(
    Health,
    policies({ retry: retry && { ...retry, baseDelayMs: 60_000, maxDelayMs: 60_000 } }),
  );
  await client.check({ service: "5" }).catch(() => {});
  expect(seen).toHaveLength(3);
  seen.length = 0;
  await client.check({ service: "-1" }).catch(() => {});
  expect(seen).toHaveLength(1);
  expect(mesh.getState().services[0]?.retries["grpc.health.v1.Health/Check"]?.gaveUp).toMatchObject({ pushback: 1 });
  await mesh.close();
});

test("what an instance on trial gets wrong is not felt by a call that may be repeated", async () => {
  await using harness = createHarness();
  let isWell = true;
  const sometimes = () => {
    if (!isWell) throw new ConnectError("broken", Code.Internal);
    return serving;
  };
  await harness.start("odd", { check: sometimes });
  await harness.start("well", { check });
  let now = 0;
  const mesh = createMesh({ service: "test", registry: harness.registry, clock: { now: () => now } });
  const circuitBreaker = {
    trip: { kind: "consecutive", failures: 1 },
    openForMs: 1_000,
    halfOpenSuccesses: 1,
  } as const;
  const client = mesh.client(Health, policies({ circuitBreaker, balancer: { kind: "round-robin" } }));
  const failures = async (): Promise<number> => {
    let failed = 0;
    for (let i = 0; i < 50; i++) {
      now += 100;
      await client.check({}).catch(() => {
        failed += 1;
      });
    }
    return failed;
  };
  isWell = false;
  expect(await failures()).toBe(1);
  expect(mesh.getState().services[0]?.endpoints[0]?.breakers[0]?.counts.opened).toBeGreaterThan(2);
  await mesh.close();
});

test("a call that can't be repeated is spared what a circuit finds out, where there are calls that can be", async () => {
  await using harness = createHarness();
  const seen: string[] = [];
  const odd = (name: string) => () => {
    seen.push(name);
    throw new ConnectError("broken", Code.Internal);
  };
  await harness.start("odd", { check: odd("check"), list: odd("list") });
  await harness.start("well", { check, list: () => ({}) });
  let now = 0;
  const mesh = createMesh({ service: "test", registry: harness.registry, clock: { now: () => now } });
  const { methods } = policies({
    circuitBreaker: { trip: { kind: "consecutive", failures: 1 }, openForMs: 1_000, halfOpenSuccesses: 1 },
    balancer: { kind: "round-robin" },
  });
  const { check: repeatable } = methods;
  if (repeatable === undefined) expect.fail("no policy");
  const once = { ...repeatable, idempotent: false, retry: undefined };
  const client = mesh.client(Health, { service: Health.typeName, methods: { ...methods, check: once } });
  for (let i = 0; i < 2; i++) await client.check({}).catch(() => {});
  expect(seen).toEqual(["check"]);
  now += 2_000;
  for (let i = 0; i < 4; i++) expect(await client.check({})).toMatchObject(serving);
  for (let i = 0; i < 4; i++) await client.list({});
  expect(seen).toEqual(["check", "list"]);
  await mesh.close();
});

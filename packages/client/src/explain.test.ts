import { Code, ConnectError } from "@connectrpc/connect";
import { Health, ServingStatus } from "@weft/contracts";
import { expect, test } from "vitest";
import { createMesh } from "./mesh.ts";
import { createHarness, policies } from "./testing/harness.ts";

const serving = { status: ServingStatus.SERVING };
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traced = { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } };

test("a call is explained by its trace: what each attempt saw, where it went, and how it ended", async () => {
  await using harness = createHarness();
  let failures = 0;
  const sometimes = (): typeof serving => {
    failures += 1;
    if (failures === 1) throw new ConnectError("not now", Code.Unavailable);
    return serving;
  };
  await harness.start("a", { check: sometimes });
  await harness.start("b", { check: sometimes });
  // The budget grows with time, unless time stands still.
  const clock = { now: () => 1_000 };
  const explain = { ratio: 1, now: () => 1_767_323_045_000 };
  const mesh = createMesh({ service: "test", registry: harness.registry, explain, clock });
  await mesh.client(Health, policies()).check({}, traced);
  const [call, ...more] = mesh.explain(traceId);
  expect(more).toEqual([]);
  expect(call).toMatchObject({
    traceId,
    method: "grpc.health.v1.Health/Check",
    startedAt: 1_767_323_045_000,
    timeoutMs: 5_000,
    outcome: "OK",
  });
  const [first, second] = call?.attempts ?? [];
  expect(call?.attempts).toHaveLength(2);
  expect(first).toMatchObject({ attempt: 1, why: "balancer", outcome: "UNAVAILABLE" });
  expect(second).toMatchObject({ attempt: 2, why: "balancer", outcome: "OK" });
  expect(second?.picked).not.toBe(first?.picked);
  expect(first?.candidates.map(({ instance, breaker }) => [instance, breaker])).toEqual([
    ["a", "closed"],
    ["b", "closed"],
  ]);
  expect([first?.timeLeftMs, second?.timeLeftMs]).toEqual([5_000, 5_000]);
  expect(second?.retryBudget).toBeLessThan(first?.retryBudget ?? 0);
  await mesh.close();
});

test("an endpoint that was passed over says why", async () => {
  await using harness = createHarness();
  await harness.start("bad", {
    check() {
      throw new ConnectError("broken", Code.Internal);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry, explain: { ratio: 1 } });
  const client = mesh.client(Health, policies());
  for (let i = 0; i < 5; i++) await client.check({}).catch(() => {});
  await client.check({}, traced).catch(() => {});
  const [call] = mesh.explain(traceId);
  expect(call).toMatchObject({ outcome: "UNAVAILABLE" });
  expect(call?.attempts[0]).toMatchObject({
    why: "nothing admits",
    candidates: [{ instance: "bad", passedOver: "circuit open", breaker: "open" }],
  });
  await mesh.close();
});

test("of a large fleet the best are shown, with who was picked, and it is said how many more there were", async () => {
  await using harness = createHarness();
  const fleet = Array.from({ length: 20 }, (_, i) => `i${i}`);
  for (const instance of fleet) await harness.start(instance, { check: () => serving });
  const mesh = createMesh({ service: "test", registry: harness.registry, explain: { ratio: 1 } });
  const roundRobin = mesh.client(Health, policies({ balancer: { kind: "round-robin" } }));
  // The one whose turn it was has the worst score by then.
  for (let i = 0; i < 3; i++) await roundRobin.check({}, traced);
  for (const { attempts } of mesh.explain(traceId)) {
    const [attempt] = attempts;
    const scores = attempt?.candidates.map(({ instance, score }) => [instance === attempt.picked, score]);
    expect(scores).toEqual([[true, 19], ...Array.from({ length: 15 }, (_, turn) => [false, turn])]);
    expect(attempt).toMatchObject({ omitted: 4, why: "balancer" });
  }
  expect(mesh.explain(traceId)).toHaveLength(3);
  await mesh.close();
});

test("nothing is kept unless it is asked for, nor of traces that are not of the share", async () => {
  await using harness = createHarness();
  await harness.start("a", { check: () => serving });
  const silent = createMesh({ service: "test", registry: harness.registry });
  await silent.client(Health, policies()).check({}, traced);
  expect(silent.explain(traceId)).toEqual([]);
  const some = createMesh({ service: "test", registry: harness.registry, explain: { ratio: 0.01 } });
  const client = some.client(Health, policies());
  const rare = `${traceId.slice(0, 24)}00000001`;
  for (const each of [traceId, rare])
    await client.check({}, { headers: { traceparent: `00-${each}-00f067aa0ba902b7-01` } });
  expect(some.explain(traceId)).toEqual([]);
  expect(some.explain(rare)).toHaveLength(1);
  await silent.close();
  await some.close();
});

test("the newest calls are kept, and no more than was asked for", async () => {
  await using harness = createHarness();
  await harness.start("a", { check: () => serving });
  const mesh = createMesh({ service: "test", registry: harness.registry, explain: { ratio: 1, keep: 3 } });
  const client = mesh.client(Health, policies());
  for (let i = 0; i < 5; i++) await client.check({}, traced);
  expect(mesh.explain(traceId)).toHaveLength(3);
  expect(() => createMesh({ service: "test", registry: harness.registry, explain: { ratio: 2 } })).toThrow(
    /explain.ratio is 2; it must be a number from 0 to 1/,
  );
  await mesh.close();
});

import { Code, ConnectError } from "@connectrpc/connect";
import { Health, ServingStatus } from "@weft/contracts";
import { expect, test } from "vitest";
import { createMesh } from "./mesh.ts";
import { createHarness, policies } from "./testing/harness.ts";

const serving = { status: ServingStatus.SERVING };

test("a client's policies can be replaced, and the next call follows them; one under way keeps its own", async () => {
  await using harness = createHarness();
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let calls = 0;
  await harness.start("a", {
    async check({ service }) {
      calls += 1;
      if (service === "slow") {
        started.resolve();
        await finish.promise;
        return serving;
      }
      throw new ConnectError("not now", Code.Unavailable);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  const slow = client.check({ service: "slow" });
  await started.promise;
  calls = 0;
  await client.check({}).catch(() => {});
  expect(calls).toBe(3);

  client.policies.change("check", { timeoutMs: 50, retry: undefined });
  calls = 0;
  await client.check({}).catch(() => {});
  expect(calls).toBe(1);
  // Another client of the service has the same.
  expect(mesh.client(Health, policies()).policies).toBe(client.policies);
  const late = await client.check({ service: "slow" }).catch((reason: unknown) => reason);
  expect(ConnectError.from(late).code).toBe(Code.DeadlineExceeded);
  finish.resolve();
  expect(await slow).toMatchObject(serving);
  await mesh.close();
});

test("a bulkhead is given its new size, and a breaker that says something else begins closed", async () => {
  await using harness = createHarness();
  await harness.start("bad", {
    check() {
      throw new ConnectError("broken", Code.Internal);
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const bulkhead = { group: "g", maxConcurrent: 5, maxQueue: 0, queueTimeoutMs: undefined };
  const client = mesh.client(Health, policies({ bulkhead }));
  for (let i = 0; i < 5; i++) await client.check({}).catch(() => {});
  const state = () => mesh.getState().services[0]?.endpoints[0];
  expect(state()).toMatchObject({ breakers: [{ state: "open" }], bulkheads: [{ maxConcurrent: 5 }] });

  const next = policies({
    bulkhead: { ...bulkhead, maxConcurrent: 9 },
    circuitBreaker: { trip: { kind: "consecutive", failures: 50 }, openForMs: 60_000, halfOpenSuccesses: 3 },
  });
  client.policies.replace(next);
  await client.check({}).catch(() => {});
  expect(state()).toMatchObject({ breakers: [{ state: "closed", failures: 1 }], bulkheads: [{ maxConcurrent: 9 }] });
  await mesh.close();
});

import { Code, ConnectError } from "@connectrpc/connect";
import { headers } from "@weft/context";
import { Health, ServingStatus } from "@weft/contracts";
import { startTelemetry } from "@weft/telemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMesh } from "./mesh.ts";
import { createHarness, policies } from "./testing/harness.ts";

const serving = { status: ServingStatus.SERVING };
const method = 'rpc_method="grpc.health.v1.Health/Check"';

let telemetry: Awaited<ReturnType<typeof startTelemetry>>;
beforeAll(async () => {
  telemetry = await startTelemetry({ service: "test", instance: "t", prometheus: true, env: {} });
});
afterAll(() => telemetry.shutdown());

/** The value of the metric's series that has all of the labels. */
async function series(name: string, ...labels: readonly string[]): Promise<number | undefined> {
  const lines = ((await telemetry.scrape?.()) ?? "").split("\n");
  const line = lines.find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
  return line === undefined
    ? undefined
    : Number(
        line
          .slice(line.lastIndexOf("}") + 1)
          .trim()
          .split(" ")[0],
      );
}

test("counts calls, their attempts by what they ended with, retries by kind, and connections", async () => {
  await using harness = createHarness();
  const failures = [
    new ConnectError("not now", Code.Unavailable),
    new ConnectError("too much", Code.ResourceExhausted, { [headers.shed]: "overload" }),
  ];
  const check = () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return serving;
  };
  await harness.start("a", { check });
  await harness.start("b", { check });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies());
  expect(await client.check({})).toMatchObject(serving);
  expect(await series("rpc_client_call_duration_count", method, 'rpc_status_code="OK"')).toBe(1);
  const attempts = (status: string) =>
    series("weft_client_attempt_duration_count", method, `rpc_status_code="${status}"`);
  expect(await attempts("UNAVAILABLE")).toBe(1);
  expect(await attempts("RESOURCE_EXHAUSTED")).toBe(1);
  expect(await attempts("OK")).toBe(1);
  expect(await series("weft_client_retries_total", method, 'kind="policy"')).toBe(1);
  expect(await series("weft_client_retries_total", method, 'kind="elsewhere"')).toBe(1);
  for (const instance of ["a", "b"]) {
    expect(await series("weft_client_connections", `weft_instance="${instance}"`)).toBe(1);
    expect(await series("weft_client_connections_waiting", `weft_instance="${instance}"`)).toBe(0);
    expect(await series("weft_client_in_flight", `weft_instance="${instance}"`)).toBe(0);
  }
  expect(await series("weft_client_endpoints", 'state="admitted"')).toBe(2);
  await mesh.close();
});

test("counts the attempts of hedged calls after the first", async () => {
  await using harness = createHarness();
  let calls = 0;
  await harness.start("a", {
    check() {
      calls += 1;
      if (calls < 3) throw new ConnectError("not now", Code.Unavailable);
      return serving;
    },
  });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, hedge: { delayMs: 4_000, maxAttempts: 3 } }));
  expect(await client.check({})).toMatchObject(serving);
  expect(await series("weft_client_hedges_total", method)).toBe(2);
  await mesh.close();
});

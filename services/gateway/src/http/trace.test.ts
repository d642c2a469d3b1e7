import { startTelemetry, type Telemetry } from "@weft/telemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStubbedEdge, type StubbedEdge } from "../testing/stubbed-edge.ts";

const ada = "a0000000-0000-4000-8000-000000000001";
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
let telemetry: Telemetry;
let edge: StubbedEdge;

beforeAll(async () => {
  telemetry = await startTelemetry({ service: "gateway", instance: "gateway-1", env: {} });
  edge = await openStubbedEdge();
});
afterAll(async () => {
  await edge?.close();
  await telemetry?.shutdown();
});

test.each([
  ["REST", "GET", `/v1/users/${ada}`],
  ["Connect", "POST", "/shop.user.v1.UserService/GetUser"],
])("the caller's trace goes on through %s as it came, where nothing is recorded", async (_protocol, method, path) => {
  const headers = { traceparent, "content-type": "application/json" };
  const body = method === "POST" ? JSON.stringify({ userId: ada }) : null;
  const response = await fetch(`${edge.url}${path}`, { method, headers, body });
  expect(response.status).toBe(200);
  expect(edge.stubs.user.calls.at(-1)?.headers.get("traceparent")).toBe(traceparent);
});

import { UserService } from "@shop/contracts/user";
import { createLogger, startTelemetry, type Telemetry } from "@weft/telemetry";
import type { FastifyRequest } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Forwarder } from "../forward/index.ts";
import { type Edge, startEdge } from "./edge.ts";
import { reportFailure } from "./report-failure.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const lines: Record<string, unknown>[] = [];
const logger = createLogger({
  service: "gateway",
  destination: { write: (line) => void lines.push(JSON.parse(line)) },
});
const onError = (error: unknown): void => logger.error({ error }, "a request failed");
let telemetry: Telemetry;
let edge: Edge;

/** A gateway whose forwarding is broken in a way that nothing foresees. */
beforeAll(async () => {
  telemetry = await startTelemetry({ service: "gateway", instance: "gateway-1", env: {} });
  const broken = (): never => {
    throw new TypeError("clients is not iterable");
  };
  const forwarder: Forwarder = { unary: async () => broken(), stream: broken };
  edge = await startEdge({
    services: [UserService],
    forwarder,
    host: "127.0.0.1",
    port: 0,
    corsOrigins: ["*"],
    onError,
  });
});
afterAll(async () => {
  await edge?.close(0);
  await telemetry?.shutdown();
});
beforeEach(() => void lines.splice(0));

const logged = expect.objectContaining({
  msg: "a request failed",
  trace_id: traceId,
  correlation_id: "order-7",
  error: expect.objectContaining({ type: "TypeError" }),
});

test.each(["/v1/users", "/v1/users:report"])(
  "what fails in a call of %s is logged with its trace and id",
  async (path) => {
    const headers = { traceparent, "x-correlation-id": "order-7" };
    const response = await fetch(`http://127.0.0.1:${edge.port}${path}`, { headers });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("iterable");
    expect(lines).toEqual([logged]);
  },
);

test("what a caller did wrong is no failure", async () => {
  expect((await fetch(`http://127.0.0.1:${edge.port}/v1/users?page=2`)).status).toBe(400);
  expect((await fetch(`http://127.0.0.1:${edge.port}/v1/users?pageToken=%zz`)).status).toBe(400);
  expect(lines).toEqual([]);
});

test("what fails before there is a call is logged with them too", async () => {
  const request = { id: "order-7", method: "GET", headers: { traceparent } } as unknown as FastifyRequest;
  await reportFailure(request, new TypeError("nothing is routed"), onError);
  expect(lines).toEqual([logged]);
});

test("a caller that sends no trace gets one in the log all the same", async () => {
  expect((await fetch(`http://127.0.0.1:${edge.port}/v1/users`)).status).toBe(500);
  expect(lines).toEqual([
    expect.objectContaining({
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    }),
  ]);
});

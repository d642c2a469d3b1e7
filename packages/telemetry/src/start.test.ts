import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { extractTrace, injectTrace, inSpan, startTelemetry, traced } from "./index.ts";

afterEach(() => trace.disable());

/** An OTLP collector as far as it counts requests and keeps their bytes. */
async function collector() {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/v1/traces") bodies.push(Buffer.concat(chunks));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("without an exporter the trace's id still travels, marked as not sampled", async () => {
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {} });
  await inSpan("outer", {}, (span) => {
    const carrier = new Map<string, string>();
    injectTrace((name, value) => carrier.set(name, value));
    expect(carrier.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(carrier.get("traceparent")).toContain(span.spanContext().traceId);
  });
  await telemetry.shutdown();
});

test("ids are made of the randomness that is given, and are never zero", async () => {
  const words = [0, 0.5, 0.25, 0.75, 0, 0];
  const random = () => words.shift() ?? expect.fail("more was drawn than two ids take");
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {}, random });
  await inSpan("root", {}, (span) => {
    expect(span.spanContext()).toMatchObject({
      traceId: "000000018000000040000000c0000000",
      spanId: "0000000100000001",
    });
  });
  await telemetry.shutdown();
});

test("what another process started goes on as one trace", async () => {
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {} });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const parent = extractTrace((name) => (name === "traceparent" ? traceparent : undefined));
  await inSpan("child", { parent }, (span) => {
    expect(span.spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  });
  await telemetry.shutdown();
});

test("a sampled trace stays one while it passes a process that exports nothing", async () => {
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {} });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const parent = extractTrace((name) => (name === "traceparent" ? traceparent : undefined));
  await inSpan("child", { parent }, () => {
    injectTrace((name, value) => expect([name, value]).toEqual(["traceparent", traceparent]));
  });
  expect.assertions(1);
  await telemetry.shutdown();
});

test("a root is sampled as often as OTEL_TRACES_SAMPLER_ARG says, under the id that was handed on", async () => {
  const { bodies, url } = await collector();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = url;
  onTestFinished(() => void delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const env = { ...process.env, OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.2" };
  const telemetry = await startTelemetry({ service: "test", instance: "i", env });
  const sampled: string[] = [];
  const ids = new Set<string>();
  for (let i = 0; i < 1_000; i++) {
    await inSpan("root", {}, async (root) => {
      const { traceId, spanId, traceFlags } = root.spanContext();
      ids.add(traceId);
      if (traceFlags === 1) sampled.push(traceId);
      await inSpan("child", {}, (child) => {
        expect(child.spanContext().traceId).toBe(traceId);
        expect(child.spanContext().traceFlags).toBe(traceFlags);
        if (traceFlags === 1) expect(child.spanContext().spanId).not.toBe(spanId);
      });
    });
  }
  await telemetry.shutdown();
  expect(ids.size).toBe(1_000);
  expect(sampled.length).toBeGreaterThan(130);
  expect(sampled.length).toBeLessThan(270);
  const sent = Buffer.concat(bodies).toString("hex");
  for (const traceId of sampled) expect(sent).toContain(traceId);
});

test("spans reach the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, with the name of what was traced", async () => {
  const { bodies, url } = await collector();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = url;
  onTestFinished(() => void delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const telemetry = await startTelemetry({ service: "shop-test", instance: "i" });
  const validate = traced("validate_user", async (id: string) => `valid ${id}`);
  expect(await validate("u-1")).toBe("valid u-1");
  await expect(traced("fails", () => Promise.reject(new Error("no")))()).rejects.toThrow("no");
  await telemetry.shutdown();
  const sent = Buffer.concat(bodies).toString("latin1");
  expect(sent).toContain("validate_user");
  expect(sent).toContain("shop-test");
});

test("an exporter or sampler that isn't supported is named", async () => {
  const start = (env: Record<string, string>) => startTelemetry({ service: "test", instance: "i", env });
  await expect(start({ OTEL_TRACES_EXPORTER: "zipkin" })).rejects.toThrow(/zipkin.*otlp, console or none/);
  await expect(start({ OTEL_TRACES_EXPORTER: "console", OTEL_TRACES_SAMPLER: "some" })).rejects.toThrow(
    /OTEL_TRACES_SAMPLER=some/,
  );
});

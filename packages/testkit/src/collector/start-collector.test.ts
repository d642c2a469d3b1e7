import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { addSpanEvent, inSpan, SpanKind, setSpanAttributes, startTelemetry, type Telemetry } from "@weft/telemetry";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Collector, startCollector } from "./start-collector.ts";

describe("the collector, told by the mesh's own telemetry", () => {
  let collector: Collector;
  let telemetry: Telemetry;
  // A process has one tracer provider for good.
  beforeAll(async () => {
    collector = await startCollector();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
    vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "1");
    telemetry = await startTelemetry({ service: "probe", instance: "probe-1" });
  });
  afterAll(async () => {
    await telemetry.shutdown();
    vi.unstubAllEnvs();
    await collector.close();
  });
  beforeEach(() => collector.clear());

  it("has each span with its parent, attributes, events and status", async () => {
    const failing = inSpan(
      "outer",
      { kind: SpanKind.SERVER, attributes: { "rpc.system": "grpc", size: 42 } },
      async () => {
        setSpanAttributes({ tags: ["a", "b"], ratio: 0.5, cached: true });
        addSpanEvent("retry", { attempt: 2 });
        await inSpan("inner", { kind: SpanKind.CLIENT }, async () => {});
        throw new Error("broken");
      },
    );
    await expect(failing).rejects.toThrow("broken");
    const spans = await collector.until((all) => all.length === 2);
    const traceId = spans[0]?.traceId ?? "";
    const [outer, inner] = collector.trace(traceId);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(outer).toMatchObject({
      name: "outer",
      kind: "server",
      service: "probe",
      parentSpanId: undefined,
      attributes: { "rpc.system": "grpc", size: 42, tags: ["a", "b"], ratio: 0.5, cached: true },
      status: { code: "error" },
      resource: { "service.name": "probe", "service.instance.id": "probe-1" },
    });
    expect(outer?.events[0]).toMatchObject({ name: "retry", attributes: { attempt: 2 } });
    expect(inner).toMatchObject({ name: "inner", kind: "client", parentSpanId: outer?.spanId, traceId });
    expect(inner?.endTime).toBeGreaterThan(0n);
  });

  it("tells those that wait as soon as their condition holds", async () => {
    const waiting = collector.until((spans) => spans.some(({ name }) => name === "awaited"));
    await inSpan("awaited", {}, async () => {});
    expect((await waiting).map(({ name }) => name)).toEqual(["awaited"]);
    collector.clear();
    expect(collector.spans()).toEqual([]);
  });
});

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.close());

describe("waiting for spans", () => {
  it("ends with the names of those that came when the time is over", async () => {
    await expect(collector.until(() => false, { timeoutMs: 1 })).rejects.toThrow(
      "after 1 ms the condition does not hold; the spans that arrived:\nnone",
    );
  });

  it("ends when its caller goes", async () => {
    const waiting = collector.until(() => false, { signal: AbortSignal.abort(new Error("the test is over")) });
    await expect(waiting).rejects.toThrow("the test is over");
  });

  it("ends when the collector closes", async () => {
    const waiting = collector.until(() => false);
    const refused = expect(waiting).rejects.toThrow("the collector was closed");
    await collector.close();
    await refused;
    collector = await startCollector();
  });

  it("fails as its condition does", async () => {
    const waiting = collector.until(() => {
      throw new Error("no such span");
    });
    await expect(waiting).rejects.toThrow("no such span");
  });
});

describe("what is sent to the collector", () => {
  it("may be compressed", async () => {
    // ExportTraceServiceRequest{resource_spans{scope_spans{spans{name: "a"}}}}
    const bytes = Uint8Array.of(0x0a, 7, 0x12, 5, 0x12, 3, 0x2a, 1, 0x61);
    expect(await post("/v1/traces", gzipSync(bytes), { "content-encoding": "gzip" })).toBe(200);
    expect(collector.spans()).toMatchObject([{ name: "a", kind: "unspecified", service: "", events: [], links: [] }]);
  });

  it("is refused when it is no protobuf", async () => {
    expect(await post("/v1/traces", Uint8Array.of(0x0a, 0x7f))).toBe(400);
    expect(collector.spans()).toEqual([]);
  });

  it("may be metrics, which are dropped", async () => {
    expect(await post("/v1/metrics", Uint8Array.of(1, 2, 3))).toBe(200);
    expect(collector.spans()).toEqual([]);
  });
});

function post(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(collector.url + path, { method: "POST", headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

import { metrics } from "@opentelemetry/api";
import { afterEach, expect, test } from "vitest";
import { durationHistogram, startTelemetry } from "./index.ts";

afterEach(() => metrics.disable());

test("durations are told to Prometheus in seconds, by the attributes that they were recorded under", async () => {
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {}, prometheus: true });
  const histogram = durationHistogram("weft.test", "rpc.test.duration", "how long it took");
  const ok = histogram.of({ "rpc.method": "a.B/C", "rpc.status_code": "OK" });
  // Another client of the same process.
  const alsoOk = durationHistogram("weft.test", "rpc.test.duration", "").of({
    "rpc.method": "a.B/C",
    "rpc.status_code": "OK",
  });
  histogram.of({ "rpc.method": "a.B/C", "rpc.status_code": "UNAVAILABLE" });
  ok.record(0.4);
  ok.record(3);
  alsoOk.record(20_000);
  const text = (await telemetry.scrape?.()) ?? "";
  const lines = text.split("\n").filter((line) => line.startsWith("rpc_test_duration"));
  const labels = (line: string) => line.replace(/,?otel_scope_\w+="[^"]*"/g, "");
  const of = (part: string) => lines.map(labels).filter((line) => line.includes(part));
  expect(of("_count")).toEqual(['rpc_test_duration_count{rpc_method="a.B/C",rpc_status_code="OK"} 3']);
  expect(of('le="0.0005"')).toHaveLength(1);
  expect(of('le="0.0005"')[0]).toMatch(/ 1$/);
  expect(of('le="0.005"')[0]).toMatch(/ 2$/);
  expect(of('le="10"')[0]).toMatch(/ 2$/);
  expect(of('le="+Inf"')[0]).toMatch(/ 3$/);
  expect(of("_sum")[0]).toMatch(/ 20\.0034$/);
  expect(text).toMatch(/target_info\{service_name="test",service_instance_id="i"\} 1/);
  await telemetry.shutdown();
});

test("nothing can be scraped unless it was asked for", async () => {
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {} });
  expect(telemetry.scrape).toBeUndefined();
  await telemetry.shutdown();
});

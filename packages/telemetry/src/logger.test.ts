import { createCall, runWithCall } from "@weft/context";
import { expect, test } from "vitest";
import { createLogger, inSpan, startTelemetry } from "./index.ts";

function captured() {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    service: "test",
    level: "debug",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  return { lines, logger };
}

test("a line carries the service, and the ids of the call and the span that it was written for", async () => {
  const telemetry = await startTelemetry({ service: "test", instance: "i", env: {} });
  const { lines, logger } = captured();
  logger.info({ order: "o-1" }, "outside");
  await runWithCall(createCall({ correlationId: "c-1" }), () =>
    inSpan("work", {}, (span) => {
      logger.info({}, "inside");
      expect(lines[1]).toMatchObject({
        level: "info",
        service: "test",
        msg: "inside",
        correlation_id: "c-1",
        trace_id: span.spanContext().traceId,
        span_id: span.spanContext().spanId,
      });
    }),
  );
  expect(lines[0]).toMatchObject({ msg: "outside", order: "o-1" });
  expect(lines[0]).not.toHaveProperty("trace_id");
  expect(lines[0]).not.toHaveProperty("correlation_id");
  await telemetry.shutdown();
});

test("an error is logged with its cause, and a payment token never", () => {
  const { lines, logger } = captured();
  const error = new Error("outer", { cause: new Error("inner") });
  logger.error({ error, request: { paymentToken: "tok_secret" } }, "failed");
  const text = JSON.stringify(lines);
  expect(text).toContain("outer");
  expect(text).toContain("inner");
  expect(text).not.toContain("tok_secret");
});

test("a child's lines have its fields too", () => {
  const { lines, logger } = captured();
  logger.child({ worker: "mail" }).warn({ attempt: 2 }, "again");
  expect(lines[0]).toMatchObject({ level: "warn", worker: "mail", attempt: 2 });
});

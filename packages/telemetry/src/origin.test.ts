import { trace } from "@opentelemetry/api";
import { createCall, currentCall, runWithCall } from "@weft/context";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { continueFrom, currentOrigin, inSpan, startTelemetry, type Telemetry } from "./index.ts";

let telemetry: Telemetry;
beforeAll(async () => {
  telemetry = await startTelemetry({ service: "test", instance: "i", env: {} });
});
afterAll(() => telemetry.shutdown());

const traceId = () => trace.getActiveSpan()?.spanContext().traceId;

describe("an origin", () => {
  it("is gone on from in its trace and correlation, whatever is active by then", async () => {
    const call = createCall({ correlationId: "c-1" });
    const { origin, started } = await runWithCall(call, () =>
      inSpan("accept", {}, () => ({ origin: JSON.parse(JSON.stringify(currentOrigin())), started: traceId() })),
    );
    await inSpan("another", {}, async () => {
      expect(traceId()).not.toBe(started);
      await continueFrom(origin, "do it later", {}, async () => {
        expect(traceId()).toBe(started);
        expect(currentOrigin().correlationId).toBe("c-1");
      });
    });
  });

  it("hands on nothing else of the call that owes the work: no deadline, cancel or key", async () => {
    const signal = AbortSignal.abort();
    const call = createCall({ deadline: 0, signal, caller: "order", idempotencyKey: "k" });
    const seen = await runWithCall(call, () =>
      continueFrom(currentOrigin(), "do it later", {}, async () => currentCall()),
    );
    expect(seen).toEqual(createCall({ correlationId: call.correlationId }));
  });

  it("outside of any call has a correlation of its own", () => {
    expect(currentOrigin().correlationId).not.toBe(currentOrigin().correlationId);
  });
});

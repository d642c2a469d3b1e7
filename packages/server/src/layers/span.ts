import type { Interceptor } from "@connectrpc/connect";
import { createCall, headers, runWithCall } from "@weft/context";
import { codeName, untilComplete } from "@weft/rpc";
import { extractTrace, inSpan, meter, SpanKind } from "@weft/telemetry";
import { scopeOf } from "../request.ts";

/**
 * The outermost layer: the call's span (a child of the caller's), its correlation id, and its duration as a metric, as
 * OpenTelemetry's semantic conventions for RPC name them.
 */
export function spanLayer(): Interceptor {
  const duration = meter("weft.server").createHistogram("rpc.server.duration", { unit: "ms" });
  return (next) => (request) => {
    const attributes = {
      "rpc.system": "grpc",
      "rpc.service": request.service.typeName,
      "rpc.method": request.method.name,
    };
    const caller = request.header.get(headers.caller) ?? undefined;
    const call = createCall({
      ...correlation(request.header.get(headers.correlationId)),
      caller,
      idempotencyKey: request.header.get(headers.idempotencyKey) ?? undefined,
      signal: request.signal,
    });
    const startedAt = performance.now();
    const options = {
      kind: SpanKind.SERVER,
      attributes: caller === undefined ? attributes : { ...attributes, "weft.caller": caller },
      parent: extractTrace((name) => request.header.get(name)),
    };
    let code: string = "OK";
    return untilComplete(
      (run) =>
        inSpan(scopeOf(request), options, async (span) => {
          try {
            await runWithCall(call, run);
          } catch (error) {
            code = codeName(error);
            throw error;
          } finally {
            span.setAttribute("rpc.response.status_code", code);
            duration.record(performance.now() - startedAt, { ...attributes, "rpc.response.status_code": code });
          }
        }),
      () => next(request),
      request.signal,
    );
  };
}

/** A correlation id is the caller's when it is one that can be logged as it is. */
function correlation(value: string | null): { correlationId?: string } {
  return value !== null && /^[\w.:-]{1,128}$/.test(value) ? { correlationId: value } : {};
}

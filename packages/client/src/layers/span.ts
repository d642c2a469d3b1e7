import { currentCall, headers } from "@weft/context";
import { codeName, untilComplete } from "@weft/rpc";
import { injectTrace, inSpan, meter, SpanKind } from "@weft/telemetry";
import type { Layer } from "../call.ts";
import { noteUnavailable } from "../errors.ts";

/** The call's span, and on the wire what joins it to the caller's: trace context, correlation id, and who calls. */
export function spanLayer(caller: string): Layer {
  const duration = meter("weft.client").createHistogram("rpc.client.duration", { unit: "ms" });
  return (next) => (call) => {
    const attributes = {
      "rpc.system": "grpc",
      "rpc.service": call.method.parent.typeName,
      "rpc.method": call.method.name,
    };
    const startedAt = performance.now();
    let code: string = "OK";
    return untilComplete(
      (run) =>
        inSpan(call.scope, { kind: SpanKind.CLIENT, attributes }, async (span) => {
          try {
            await run();
          } catch (error) {
            code = codeName(error);
            noteUnavailable(error, call.method.parent.typeName);
            throw error;
          } finally {
            span.setAttribute("rpc.response.status_code", code);
            duration.record(performance.now() - startedAt, { ...attributes, "rpc.response.status_code": code });
          }
        }),
      () => {
        const header = new Headers(call.header);
        injectTrace((name, value) => header.set(name, value));
        header.set(headers.caller, caller);
        const correlationId = currentCall()?.correlationId;
        if (correlationId !== undefined && !header.has(headers.correlationId)) {
          header.set(headers.correlationId, correlationId);
        }
        return next({ ...call, header });
      },
      call.signal,
    );
  };
}

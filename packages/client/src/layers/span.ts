import { type Clock, currentCall, headers } from "@weft/context";
import { codeName } from "@weft/rpc";
import { beginSpan, injectTrace, SpanKind } from "@weft/telemetry";
import type { Layer } from "../call.ts";
import { noteUnavailable } from "../errors.ts";

/** The call's span and its duration, and on the wire what joins it to the caller's: trace context, correlation id, and who calls. */
export function spanLayer(caller: string, clock: Clock): Layer {
  return (next) => (call) => {
    const { header, called } = call;
    const { context, recorded } = beginSpan(called.scope, { kind: SpanKind.CLIENT, attributes: called.attributes });
    injectTrace((name, value) => {
      header[name] = value;
    }, context);
    call.span = recorded;
    header[headers.caller] = caller;
    const cause = currentCall();
    if (cause !== undefined) {
      header[headers.correlationId] ??= cause.correlationId;
      cause.downstream.onCall?.();
    }
    call.atEnd((error) => {
      const code = error === undefined ? "OK" : codeName(error);
      if (code === "UNAVAILABLE") noteUnavailable(call.method.parent.typeName);
      called.ended(recorded, clock.now() - call.startedAt, code, error);
    });
    return next(call);
  };
}

import type { Clock } from "@weft/context";
import { codeName, endedEarly, requestField } from "@weft/rpc";
import { beginSpan, extractTrace, runTraced, SpanKind } from "@weft/telemetry";
import type { Layer } from "../layer.ts";

/**
 * The outermost layer: the call's span (a child of the caller's), its correlation id, and its duration as a metric, as
 * OpenTelemetry's semantic conventions for RPC name them. What is inside runs for this call.
 */
export function spanLayer(clock: Clock): Layer {
  return (next) => (call) => {
    const { served, context } = call;
    call.startedAt = clock.now();
    const { context: trace, recorded } = beginSpan(served.scope, {
      kind: SpanKind.SERVER,
      attributes: served.attributes,
      parent: extractTrace((name) => requestField(context, name)),
    });
    if (recorded !== undefined && call.caller !== undefined) recorded.setAttribute("weft.caller", call.caller);
    call.atEnd((thrown) => {
      // A handler may end long after its caller was told something else.
      const error = endedEarly(context) ?? thrown;
      const code = error === undefined ? "OK" : codeName(error);
      served.ended(recorded, clock.now() - call.startedAt, code, error);
    });
    return runTraced(call, trace, () => next(call));
  };
}

import type { Clock } from "@weft/context";
import { codeName } from "@weft/rpc";
import type { Layer } from "../call.ts";
import type { CallExplanation } from "../explain/explanation.ts";
import type { Recorder } from "../explain/recorder.ts";

/** Keeps what became of the call, where its trace is one of those that are explained. */
export function explainLayer(recorder: Recorder | undefined, clock: Clock): Layer {
  if (recorder === undefined) return (next) => next;
  return (next) => (call) => {
    const traceId = call.header.traceparent?.slice(3, 35);
    if (traceId === undefined || !recorder.wants(traceId)) return next(call);
    const explanation: CallExplanation = {
      traceId,
      method: call.scope,
      startedAt: recorder.now(),
      timeoutMs: Math.round(call.deadline - call.startedAt),
      attempts: [],
    };
    call.explanation = explanation;
    recorder.add(explanation);
    call.atEnd((error) => {
      explanation.outcome = error === undefined ? "OK" : codeName(error);
      explanation.durationMs = clock.now() - call.startedAt;
    });
    return next(call);
  };
}

import { inCurrentContext } from "@weft/rpc";
import { answersWithStream, type Layer, streamed } from "../layer.ts";

/** The innermost layer: a streaming handler's body sees the call and the span that it runs for. */
export const contextLayer: Layer = (next) => (call) => {
  const answer = next(call);
  return answersWithStream(call.method) ? streamed(answer, inCurrentContext) : answer;
};

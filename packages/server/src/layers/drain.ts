import { Code, ConnectError } from "@connectrpc/connect";
import { abortable } from "@weft/rpc";
import { answersWithStream, type Layer, streamed, takesStream } from "../layer.ts";

/**
 * Ends open streams with UNAVAILABLE once the server drains, so that their readers go on elsewhere: unlike a unary call,
 * a stream may have no end of its own.
 */
export function drainLayer(draining: AbortSignal): Layer {
  return (next) => (call) => {
    if (!answersWithStream(call.method) && !takesStream(call.method)) return next(call);
    call.signal = AbortSignal.any([call.signal, draining]);
    if (!answersWithStream(call.method)) return next(call);
    return streamed(next(call), (messages) => abortable(messages, draining));
  };
}

export function serverGoesAway(): ConnectError {
  return new ConnectError("the server is going away: read on elsewhere", Code.Unavailable);
}

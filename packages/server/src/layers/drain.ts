import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { abortable } from "@weft/rpc";

/**
 * Ends open streams with UNAVAILABLE once the server drains, so that their readers go on elsewhere: unlike a unary call,
 * a stream may have no end of its own.
 */
export function drainLayer(draining: AbortSignal): Interceptor {
  return (next) => async (request) => {
    if (!request.stream) return next(request);
    const response = await next({ ...request, signal: AbortSignal.any([request.signal, draining]) });
    if (!response.stream) return response;
    return { ...response, message: abortable(response.message as AsyncIterable<unknown>, draining) } as StreamResponse;
  };
}

export function serverGoesAway(): ConnectError {
  return new ConnectError("the server is going away: read on elsewhere", Code.Unavailable);
}

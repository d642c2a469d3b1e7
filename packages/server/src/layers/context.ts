import type { Interceptor, StreamResponse } from "@connectrpc/connect";
import { inCurrentContext } from "@weft/rpc";

/** The innermost layer: a streaming handler's body sees the call and the span that it runs for. */
export function contextLayer(): Interceptor {
  return (next) => async (request) => {
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: inCurrentContext(response.message as AsyncIterable<unknown>) } as StreamResponse;
  };
}

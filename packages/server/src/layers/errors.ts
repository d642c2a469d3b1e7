import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { currentCall, type Downstream, headers } from "@weft/context";
import { mapMessages } from "@weft/rpc";
import type { Logger } from "@weft/telemetry";
import { scopeOf } from "../request.ts";

/** Recognises errors of the infrastructure, such as a database that is away; undefined for all others. */
export type ErrorMapper = (error: unknown) => ConnectError | undefined;

/**
 * Lets nothing internal out: a ConnectError is an answer and passes, what the mapper knows gets its code, and anything
 * else is logged here and answered with INTERNAL "internal error".
 */
export function errorLayer(logger: Logger, mapError: ErrorMapper): Interceptor {
  return (next) => async (request) => {
    const downstream = currentCall()?.downstream;
    const answer = (error: unknown): ConnectError => {
      if (error instanceof ConnectError) return passedOn(error, downstream);
      if (request.signal.aborted) return ConnectError.from(request.signal.reason, Code.Canceled);
      const known = mapError(error);
      if (known) {
        logger.warn({ error, method: scopeOf(request) }, known.rawMessage);
        return known;
      }
      logger.error({ error, method: scopeOf(request) }, "a handler failed");
      return new ConnectError("internal error", Code.Internal);
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const message = mapMessages(response.message as AsyncIterable<unknown>, { error: answer });
      return { ...response, message } as StreamResponse;
    } catch (error) {
      throw answer(error);
    }
  };
}

/** A handler's own UNAVAILABLE, after a call of its own met one, is that other service's. */
function passedOn(error: ConnectError, downstream: Downstream | undefined): ConnectError {
  if (error.code === Code.Unavailable && downstream?.unavailable !== undefined) {
    error.metadata.set(headers.unavailablePeer, downstream.unavailable);
  }
  return error;
}

import { Code, ConnectError } from "@connectrpc/connect";
import { headers } from "@weft/context";
import type { Logger } from "@weft/telemetry";
import type { Layer } from "../layer.ts";
import type { ServedCall } from "../served-call.ts";

/** Recognises errors of the infrastructure, such as a database that is away; undefined for all others. */
export type ErrorMapper = (error: unknown) => ConnectError | undefined;

/**
 * Lets nothing internal out: a ConnectError is an answer and passes, what the mapper knows gets its code, and anything
 * else is logged here and answered with INTERNAL "internal error".
 */
export function errorLayer(logger: Logger, mapError: ErrorMapper): Layer {
  const answerTo = (call: ServedCall, error: unknown): ConnectError => {
    if (error instanceof ConnectError) return passedOn(error, call);
    if (call.signal.aborted) return ConnectError.from(call.signal.reason, Code.Canceled);
    const known = mapError(error);
    if (known) {
      logger.warn({ error, method: call.scope }, known.rawMessage);
      return known;
    }
    logger.error({ error, method: call.scope }, "a handler failed");
    return new ConnectError("internal error", Code.Internal);
  };
  return (next) => (call) => {
    call.atEnd((error) => error && answerTo(call, error));
    return next(call);
  };
}

/** A handler's own UNAVAILABLE, after a call of its own met one, is that other service's. */
function passedOn(error: ConnectError, { downstream }: ServedCall): ConnectError {
  if (error.code !== Code.Unavailable || downstream.unavailable === undefined) return error;
  // What a peer said is not sent on as metadata: this is of our own.
  const own = new ConnectError(error.rawMessage, error.code, { [headers.unavailablePeer]: downstream.unavailable });
  own.details = error.details;
  own.cause = error.cause;
  return own;
}

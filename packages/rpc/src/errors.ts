import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { mapMessages } from "./stream.ts";

const unprocessed = new WeakSet<ConnectError>();

/** Whether the peer certainly never saw the call, so that another attempt is safe for any method (gRFC A6). */
export function wasNeverProcessed(error: unknown): boolean {
  return error instanceof ConnectError && unprocessed.has(error);
}

const answers = new WeakSet<ConnectError>();

/** Whether the peer itself has said this, and not this end, of a connection that failed or a call that was given up. */
export function cameFromPeer(error: unknown): boolean {
  return error instanceof ConnectError && answers.has(error);
}

export function markFromPeer(error: ConnectError): ConnectError {
  answers.add(error);
  return error;
}

export function markNeverProcessed(error: ConnectError): void {
  unprocessed.add(error);
}

/**
 * Gives a lost connection the code that gRPC gives it. Node's HTTP/2 reports a peer that died mid-call as CANCELED and a
 * call that met a GOAWAY as INTERNAL; both are UNAVAILABLE, and the second was never processed.
 */
export function translateTransportErrors(transport: Transport): Transport {
  return {
    async unary(method, signal, ...rest) {
      try {
        return await transport.unary(method, signal, ...rest);
      } catch (error) {
        throw translate(error, signal);
      }
    },
    async stream(method, signal, ...rest) {
      try {
        const response = await transport.stream(method, signal, ...rest);
        return { ...response, message: mapMessages(response.message, { error: (error) => translate(error, signal) }) };
      } catch (error) {
        throw translate(error, signal);
      }
    },
  };
}

function translate(reason: unknown, signal: AbortSignal | undefined): ConnectError {
  const error = ConnectError.from(reason);
  // A status that the peer sent has no cause; what the caller's own signal ended is the caller's.
  if (signal?.aborted) return error;
  if (error.cause === undefined && error.metadata.has("grpc-status")) return markFromPeer(error);
  const symptoms = describe(error);
  if (neverSent.test(symptoms)) {
    const unavailable = lost(error, "the call did not reach the server");
    markNeverProcessed(unavailable);
    return unavailable;
  }
  return connectionLost.test(symptoms) ? lost(error, "the connection was lost during the call") : error;
}

const neverSent =
  /REFUSED_STREAM|ECONNREFUSED|ERR_HTTP2_GOAWAY_SESSION|ERR_HTTP2_INVALID_SESSION|EHOSTUNREACH|ENETUNREACH|ENOTFOUND/;
const connectionLost =
  /ECONNRESET|EPIPE|ETIMEDOUT|ERR_HTTP2_SESSION_ERROR|ERR_HTTP2_STREAM_CANCEL|ERR_STREAM_PREMATURE_CLOSE|ERR_HTTP2_PING_CANCEL|ERR_STREAM_DESTROYED|ERR_HTTP2_INVALID_STREAM|http\/2 (stream|connection) (was )?closed|missing trailer|PING timed out|connection closed/i;

function lost(error: ConnectError, message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable, error.metadata, undefined, error.cause ?? error);
}

/** The codes and messages of the whole chain of causes. A status from the peer has no cause, and describes nothing. */
function describe(error: ConnectError): string {
  const words: string[] = error.cause === undefined && error.metadata.has("grpc-status") ? [] : [error.rawMessage];
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    words.push(cause.message, "code" in cause ? String(cause.code) : "");
  }
  return words.join(" ");
}

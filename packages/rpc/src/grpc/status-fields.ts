import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { ServerCall } from "@weft/wire";
import { toFields } from "../fields.ts";

const detailsField = "grpc-status-details-bin";

/** What a client may be told of what a handler threw: a ConnectError is an answer, and anything else stays inside. */
export function toAnswer(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

/** Ends a call with an error: its code, message and details, what it says beside them, and what the handler has set. */
export function endWithError(
  call: ServerCall,
  error: ConnectError,
  set: { readonly header?: Headers | undefined; readonly trailer?: Headers | undefined } = {},
): void {
  const trailer = setTrailerStatus(new Headers(set.trailer), error);
  const header = toFields(set.header ?? []);
  // Whoever sets header fields wants them to be seen as such, though clients' retry policies don't act on the error then.
  if (header.length > 0) call.sendHeaders(header);
  const fields = toFields(trailer);
  const details = trailer.get(detailsField);
  if (details !== null) fields.push(detailsField, details);
  call.end(error.code, error.rawMessage, fields);
}

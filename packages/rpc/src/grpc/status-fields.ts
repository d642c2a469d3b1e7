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

interface SetByHandler {
  readonly header?: Headers | undefined;
  readonly trailer?: Headers | undefined;
}

/** Ends a call with an error: its code, message and details, what it says beside them, and what the handler has set. Never throws. */
export function endWithError(call: ServerCall, error: ConnectError, set: SetByHandler = {}): void {
  try {
    endWith(call, wellFormed(error), set);
  } catch {
    // Details that can't be encoded: what is left to say is that it failed.
    call.end(Code.Internal, "internal error");
  }
}

/** A message that a handler has cut in the middle of a character has no encoding. */
function wellFormed(error: ConnectError): ConnectError {
  const message = Buffer.from(error.rawMessage).toString();
  if (message === error.rawMessage) return error;
  const said = new ConnectError(message, error.code, error.metadata);
  said.details = error.details;
  return said;
}

function endWith(call: ServerCall, error: ConnectError, set: SetByHandler): void {
  const trailer = setTrailerStatus(new Headers(set.trailer), error);
  const header = toFields(set.header ?? []);
  // Whoever sets header fields wants them to be seen as such, though clients' retry policies don't act on the error then.
  if (header.length > 0) call.sendHeaders(header);
  const fields = toFields(trailer);
  const details = trailer.get(detailsField);
  if (details !== null) fields.push(detailsField, details);
  call.end(error.code, error.rawMessage, fields);
}

import { Code, ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { type CallStatus, fieldValue } from "@weft/wire";
import { markFromPeer, markNeverProcessed } from "../errors.ts";
import { addFields } from "../fields.ts";

/** How a call that failed is told to its caller: what the server said, with its header fields and trailers. */
export function statusError(status: CallStatus, head: readonly string[]): ConnectError {
  const metadata = new Headers();
  addFields(head, metadata);
  addFields(status.fields, metadata);
  const cause = status.cause === undefined ? undefined : new Error(status.cause);
  const error = new ConnectError(status.message, status.code as Code, metadata, undefined, cause);
  if (status.from === "never-processed") markNeverProcessed(error);
  if (status.from !== "server") return error;
  error.isWireError = true;
  markFromPeer(error);
  if (fieldValue(status.fields, "grpc-status-details-bin") === undefined) return error;
  try {
    return markFromPeer(findTrailerError(metadata) ?? error);
  } catch {
    // Details that can't be read take nothing from the rest.
    return error;
  }
}

/** A method that answers with one message has answered with none, or with more. */
export function wrongNumber(method: { readonly name: string }, messages: number): ConnectError {
  const how = messages === 0 ? "none has come" : "more have come";
  return new ConnectError(`${method.name} answers with one message, and ${how}`, Code.Unimplemented);
}

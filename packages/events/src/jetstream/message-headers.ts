import { headers as createHeaders, type MsgHdrs } from "@nats-io/transport-node";
import type { OutgoingMessage } from "../broker.ts";
import { type Headers, messageIdHeader } from "../event-headers.ts";

const serversMessageId = "Nats-Msg-Id";

/**
 * The event's headers, its id for the broker's duplicate window, and the stream that is to take it and no other: as they stand in
 * the message (NATS's ADR-4).
 */
export function writeHeaders({ headers, id, stream }: OutgoingMessage): string {
  let block = `NATS/1.0\r\n${serversMessageId}: ${id}\r\nNats-Expected-Stream: ${stream.name}\r\n`;
  for (const name in headers) block += `${name}: ${oneLine(headers[name] ?? "")}\r\n`;
  return `${block}\r\n`;
}

/** A value can't end its line. */
function oneLine(value: string): string {
  return value.includes("\n") || value.includes("\r") ? value.replace(/[\r\n]+/g, " ") : value;
}

const written = Object.assign(createHeaders(), { block: "", encode: () => Buffer.from(written.block) });

/** For a client that takes none but its own, and asks nothing of them but their bytes, at once: they hold until the next call. */
export function asWritten(block: string): MsgHdrs {
  written.block = block;
  return written;
}

/** Names in lower case, since other clients may write them differently; the first value of each. */
export function readHeaders(headers: MsgHdrs | undefined): Headers {
  const read: Record<string, string> = {};
  for (const name of headers?.keys() ?? []) read[name.toLowerCase()] ??= headers?.get(name) ?? "";
  // The server's own goes before one that a message carries in other letters.
  if (headers?.has(serversMessageId)) read[messageIdHeader] = headers.get(serversMessageId);
  return read;
}

import { headers as createHeaders, type MsgHdrs } from "@nats-io/transport-node";
import type { OutgoingMessage } from "../broker.ts";
import { type Headers, messageIdHeader } from "../event-headers.ts";

const serversMessageId = "Nats-Msg-Id";

/** The event's headers, its id for the broker's duplicate window, and the stream that is to take it and no other. */
export function publishHeaders({ headers, id, stream }: OutgoingMessage): MsgHdrs {
  const written = createHeaders();
  for (const [name, value] of Object.entries(headers)) written.append(name, value);
  written.append(serversMessageId, id);
  written.append("Nats-Expected-Stream", stream.name);
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

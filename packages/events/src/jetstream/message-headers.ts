import { headers as createHeaders, type MsgHdrs } from "@nats-io/transport-node";
import type { Headers } from "../event-headers.ts";

export function writeHeaders(headers: Headers): MsgHdrs {
  const written = createHeaders();
  for (const [name, value] of Object.entries(headers)) written.set(name, value);
  return written;
}

/** Names in lower case, since other clients may write them differently; the first value of each. */
export function readHeaders(headers: MsgHdrs | undefined): Headers {
  const read: Record<string, string> = {};
  for (const name of headers?.keys() ?? []) read[name.toLowerCase()] ??= headers?.get(name) ?? "";
  return read;
}

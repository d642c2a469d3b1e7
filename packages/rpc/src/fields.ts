/**
 * Header fields as HTTP/2 has them, name, value, name, value, …, and as Connect's interfaces have them.
 */

/** The fields of a list, without those that are HTTP/2's own. */
export function toHeaders(fields: readonly string[]): Headers {
  const headers = new Headers();
  addFields(fields, headers);
  return headers;
}

/** The same, behind what is there already. */
export function addFields(fields: readonly string[], headers: Headers): void {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name.charCodeAt(0) !== colon) headers.append(name, fields[i + 1] as string);
  }
}

/** What gRPC and HTTP/2 say themselves, and what has no place in HTTP/2 (RFC 9113 section 8.2.2). */
const reserved: ReadonlySet<string> = new Set([
  ...["content-type", "content-length", "te", "host", "connection", "keep-alive", "proxy-connection"],
  ...["transfer-encoding", "upgrade", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "grpc-status"],
  ...["grpc-message", "grpc-status-details-bin"],
]);

/** What a caller or handler adds to the fields of a call; what is the protocol's to say is left out. */
export function toFields(headers: Iterable<readonly [string, string]>, into: string[] = []): string[] {
  for (const [name, value] of headers) if (!reserved.has(name)) into.push(name, value);
  return into;
}

/** The fields of a whole response of HTTP, whatever its protocol. */
export function toHttpFields(headers: Iterable<readonly [string, string]> | undefined, into: string[] = []): string[] {
  if (headers !== undefined)
    for (const [name, value] of headers) if (!connectionSpecific.has(name)) into.push(name, value);
  return into;
}

const connectionSpecific: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"],
]);

/** Header fields of which whoever made it knows that they may be sent: lower-case names, visible ASCII and spaces within it. */
export class PlainHeader {
  [name: string]: string;
}

/** The header fields that a call is given. */
export type FieldsInit = ConstructorParameters<typeof Headers>[0];

/** The same from all the forms that Connect takes. Headers objects check and normalise; what is plain is taken as it is, if it is a field. */
export function fieldsOfInit(init: FieldsInit, into: string[]): string[] {
  if (init === undefined) return into;
  if (init instanceof PlainHeader) {
    for (const name in init) if (!reserved.has(name)) into.push(name, init[name] as string);
    return into;
  }
  if (init instanceof Headers) return toFields(init, into);
  if (Array.isArray(init) || Symbol.iterator in init || !Object.entries(init).every(isPlain))
    return toFields(new Headers(init), into);
  for (const name in init) {
    const field = name.toLowerCase();
    if (!reserved.has(field)) into.push(field, init[name] as string);
  }
  return into;
}

function isPlain([name, value]: readonly [string, unknown]): boolean {
  return plainName.test(name) && typeof value === "string" && plainValue.test(value);
}

const colon = 58;
const plainName = /^[\w-]+$/;
/** Visible ASCII, and spaces within it. */
const plainValue = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

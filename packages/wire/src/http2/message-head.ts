/** What a request's header list says of it, once it is known to be well formed (RFC 9113 section 8.3.1). */
export interface RequestHead {
  readonly method: string;
  readonly scheme: string;
  /** Empty when the request names none. */
  readonly authority: string;
  readonly path: string;
  /** Octets that its DATA must have in all; undefined when it doesn't say. */
  readonly contentLength: number | undefined;
  /** Where the fields begin that are not pseudo-header fields. */
  readonly fieldsAt: number;
}

/** Name, value, name, value, …; the answer is why the request is malformed, which ends its stream with PROTOCOL_ERROR. */
export function readRequestHead(fields: readonly string[]): RequestHead | string {
  let method: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let path: string | undefined;
  let at = 0;
  for (; at < fields.length && isPseudo(fields[at] as string); at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (name === ":method" && method === undefined) method = value;
    else if (name === ":scheme" && scheme === undefined) scheme = value;
    else if (name === ":authority" && authority === undefined) authority = value;
    else if (name === ":path" && path === undefined) path = value;
    else return misplaced(name);
  }
  if (method === undefined || scheme === undefined || path === undefined)
    return "a request has :method, :scheme and :path";
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) return ":path begins with a slash";
  const contentLength = readFields(fields, at);
  if (typeof contentLength === "string") return contentLength;
  return { method, scheme, authority: authority ?? "", path, contentLength, fieldsAt: at };
}

/** What a response's header list says of it (RFC 9113 section 8.3.2). */
export interface ResponseHead {
  /** 100 to 999, of which HTTP knows those below 600; below 200 another header list follows. */
  readonly status: number;
  readonly contentLength: number | undefined;
  readonly fieldsAt: number;
}

export function readResponseHead(fields: readonly string[]): ResponseHead | string {
  if (fields[0] !== ":status") return "a response has :status, before all else";
  const status = fields[1] as string;
  if (!/^[1-9]\d\d$/.test(status)) return ":status is a number of three digits";
  const contentLength = readFields(fields, 2);
  if (typeof contentLength === "string") return contentLength;
  return { status: Number(status), contentLength, fieldsAt: 2 };
}

/** Why trailers are malformed; undefined when they are not. */
export function trailersProblem(fields: readonly string[]): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (isPseudo(fields[i] as string)) return misplaced(fields[i] as string);
  return undefined;
}

/** The content length that the fields name, or why they are malformed. */
function readFields(fields: readonly string[], start: number): number | undefined | string {
  let contentLength: number | undefined;
  for (let at = start; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (isPseudo(name)) return misplaced(name);
    if (name !== "content-length") continue;
    const value = fields[at + 1] as string;
    if (!/^\d{1,15}$/.test(value)) return "content-length is no number";
    if (contentLength !== undefined && contentLength !== Number(value)) return "content-length says two things";
    contentLength = Number(value);
  }
  return contentLength;
}

const colon = 58;

function isPseudo(name: string): boolean {
  return name.charCodeAt(0) === colon;
}

function misplaced(name: string): string {
  return `${name} is unknown, comes twice, or stands behind another field`;
}

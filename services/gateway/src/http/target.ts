import { BadRequestError } from "../transcoding/index.ts";

/** What a request asks for, as its own bytes say it: no segment is resolved, and none is taken for a host. */
export interface Target {
  /** Still percent-encoded, and each escape in it is sound. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Splits a request target, also one that names the whole address (RFC 9112, 3.2.2), at its first question mark. Throws a
 * BadRequestError for an escape that isn't UTF-8, percent-encoded. The URL class won't do: it resolves dots, turns
 * backslashes round, and reads what follows two slashes as a host.
 */
export function readTarget(raw: string): Target {
  const local = raw.replace(/^https?:\/\/[^/?]*/i, "");
  const at = local.indexOf("?");
  const [path, query] = at === -1 ? [local, ""] : [local.slice(0, at), local.slice(at + 1)];
  requireSoundEscapes("path", path);
  requireSoundEscapes("query", query);
  return { path, query: new URLSearchParams(query) };
}

function requireSoundEscapes(part: string, text: string): void {
  try {
    decodeURIComponent(text);
  } catch {
    throw new BadRequestError([{ field: "", description: `the ${part} has an escape that is not UTF-8` }]);
  }
}

/** What HTTP/1.1 says of a connection has no meaning here (RFC 9113 section 8.2.2). */
const ofTheConnection = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);

const validName = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Why a field's name makes its message malformed, whatever its value (RFC 9113 section 8.2); undefined for one that doesn't. */
export function nameProblem(name: string): string | undefined {
  if (!validName.test(name)) return "a field name has a character that none may have";
  if (ofTheConnection.has(name)) return `${name} is a field of HTTP/1.1's connections`;
  return undefined;
}

/** The same for the value of a name that may be. */
export function valueProblem(name: string, value: string): string | undefined {
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)) || hasControl(value))
    return `the value of ${name} has a control character, or a space at an end`;
  if (name === "te" && value !== "trailers") return "te may say trailers only";
  return undefined;
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09;
}

/** NUL, CR or LF. */
function hasControl(value: string): boolean {
  return value.includes("\n") || value.includes("\r") || value.includes("\0");
}

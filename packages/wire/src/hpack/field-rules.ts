/** What HTTP/1.1 says of a connection has no meaning here (RFC 9113 section 8.2.2). */
const ofTheConnection = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);

const validName = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const invalidValue = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Why a field makes its message malformed (RFC 9113 section 8.2); undefined for one that doesn't. */
export function fieldProblem(name: string, value: string): string | undefined {
  if (!validName.test(name)) return "a field name has a character that none may have";
  if (invalidValue.test(value)) return `the value of ${name} has a control character, or a space at an end`;
  if (ofTheConnection.has(name)) return `${name} is a field of HTTP/1.1's connections`;
  if (name === "te" && value !== "trailers") return "te may say trailers only";
  return undefined;
}

/**
 * Page tokens that no service ever made, each with what is wrong with it: every List method answers INVALID_ARGUMENT to
 * all of them, whatever its own tokens look like.
 *
 * ```ts
 * it.each(forgedPageTokens)("refuses a page token %s", async (_, pageToken) => …);
 * ```
 */
export const forgedPageTokens: readonly (readonly [what: string, token: string])[] = [
  ["of a time before PostgreSQL's first", encoded("-271821-04-20T00:00:00.000Z a0000000-0000-4000-8000-000000000001")],
  ["of JavaScript's last day", encoded("+275760-09-13T00:00:00.000Z a0000000-0000-4000-8000-000000000001")],
  ["of a year that neither knows", encoded("294277-01-01T00:00:00.000Z a0000000-0000-4000-8000-000000000001")],
  ["with what is no UUID", encoded(`2026-01-01T00:00:00.000Z ${"-".repeat(36)}`)],
  ["with SQL in it", encoded("2026-01-01T00:00:00.000Z '; DROP TABLE weft.outbox; --")],
  ["that is SQL", encoded("' OR 1 = 1 --")],
  ["with a NUL in it", encoded("a\0b")],
  ["of bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x80]).toString("base64url")],
  ["that isn't base64", "!!! not base64 !!!"],
  ["with padding", `${encoded("2026-01-01T00:00:00.000Z a0000000-0000-4000-8000-000000000001")}=`],
];

function encoded(text: string): string {
  return Buffer.from(text).toString("base64url");
}

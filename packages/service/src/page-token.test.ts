import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { creationPageTokens, pageTokens } from "./page-token.ts";

const id = "a0000000-0000-4000-8000-000000000001";
const encoded = (text: string | Buffer) => Buffer.from(text as string).toString("base64url");
const refused = expect.objectContaining({
  code: Code.InvalidArgument,
  rawMessage: "page_token: value is not a token of this list: pass on the one that the page before gave",
});

describe("a page token", () => {
  it.each([
    "0000-01-01T00:00:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "2024-02-29T12:00:00.001Z",
    "9999-12-31T23:59:59.999Z",
  ])("leads back to the place that it was made of: %s", (time) => {
    const cursor = { createdAt: new Date(time), id };
    expect(creationPageTokens.cursorOf(creationPageTokens.tokenOf(cursor))).toEqual(cursor);
  });

  it("is empty for the last page, and what is empty is the first page", () => {
    expect(creationPageTokens.tokenOf(undefined)).toBe("");
    expect(creationPageTokens.cursorOf("")).toBeUndefined();
  });

  it.each([
    ["before all years that a database knows", encoded(`-271821-04-20T00:00:00.000Z ${id}`)],
    ["after all years that a database knows", encoded(`+275760-09-13T00:00:00.000Z ${id}`)],
    ["in a year of five digits", encoded(`10000-01-01T00:00:00.000Z ${id}`)],
    ["in a month that there isn't", encoded(`2026-13-01T00:00:00.000Z ${id}`)],
    ["on a day that there isn't", encoded(`2026-02-30T00:00:00.000Z ${id}`)],
    ["at a time that is written otherwise", encoded(`2026-01-01T24:00:00.000Z ${id}`)],
    ["without a time", encoded(` ${id}`)],
    ["without an id", encoded("2026-01-01T00:00:00.000Z ")],
    ["with an id in capitals", encoded(`2026-01-01T00:00:00.000Z ${id.toUpperCase()}`)],
    ["with what only looks like an id", encoded(`2026-01-01T00:00:00.000Z ${"-".repeat(36)}`)],
    ["with SQL for an id", encoded("2026-01-01T00:00:00.000Z '; DROP TABLE users; --")],
    ["with a line more", encoded(`2026-01-01T00:00:00.000Z ${id}\n`)],
    ["with a NUL", encoded(`2026-01-01T00:00:00.000Z ${id}\0`)],
    ["of bytes that are no text", encoded(Buffer.from([0xff, 0xfe, 0x00]))],
    ["in base64 with padding", `${encoded(`2026-01-01T00:00:00.000Z ${id}`)}==`],
    ["that isn't base64 at all", "!!! not base64 !!!"],
    ["with something among its letters", `${encoded(`2026-01-01T00:00:00.000Z ${id}`)} `],
  ])("%s is refused by name", (_, token) => {
    expect(() => creationPageTokens.cursorOf(token)).toThrow(refused);
  });

  it("of another list is refused by name", () => {
    const byNumber = pageTokens({
      write: String,
      read: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined),
    });
    const token = byNumber.tokenOf(42);
    expect(byNumber.cursorOf(token)).toBe(42);
    expect(() => creationPageTokens.cursorOf(token)).toThrow(refused);
  });

  it("that its list would read and never write is refused by name", () => {
    const lenient = pageTokens({ write: String, read: Number });
    expect(() => lenient.cursorOf(encoded("042"))).toThrow(refused);
  });
});

import { invalidField } from "@weft/server";

/** The tokens of one list, as callers carry them from page to page: opaque to them, and text that anybody can make up. */
export interface PageTokens<Cursor> {
  /** What `next_page_token` says; empty on the last page. */
  tokenOf(next: Cursor | undefined): string;
  /** Undefined for the first page. Throws INVALID_ARGUMENT, naming `page_token`, for what is no token of this list. */
  cursorOf(token: string): Cursor | undefined;
}

/** How a list's cursor is written and read. */
export interface CursorFormat<Cursor> {
  readonly write: (cursor: Cursor) => string;
  /** Undefined for what `write` never writes: whatever comes out of it goes into a query. */
  readonly read: (text: string) => Cursor | undefined;
}

/** The tokens of a list with such cursors: their text in base64url, in its one canonical spelling. */
export function pageTokens<Cursor>({ write, read }: CursorFormat<Cursor>): PageTokens<Cursor> {
  const encode = (cursor: Cursor): string => Buffer.from(write(cursor)).toString("base64url");
  return {
    tokenOf: (next) => (next === undefined ? "" : encode(next)),
    cursorOf(token) {
      if (token === "") return undefined;
      const cursor = read(Buffer.from(token, "base64url").toString());
      if (cursor === undefined || encode(cursor) !== token) {
        throw invalidField(
          "page_token",
          "value is not a token of this list: pass on the one that the page before gave",
        );
      }
      return cursor;
    },
  };
}

/** A place in a list that is ordered by time of creation, and by UUID among those of one moment. */
export interface CreationCursor {
  readonly createdAt: Date;
  readonly id: string;
}

// Years of four digits: JavaScript knows others that PostgreSQL does not.
const creation = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The tokens of such a list. */
export const creationPageTokens: PageTokens<CreationCursor> = pageTokens({
  write: ({ createdAt, id }) => `${createdAt.toISOString()} ${id}`,
  read(text) {
    const [, time = "", id = ""] = creation.exec(text) ?? [];
    const createdAt = new Date(time);
    return Number.isNaN(createdAt.getTime()) ? undefined : { createdAt, id };
  },
});

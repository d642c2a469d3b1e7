import { Code, ConnectError } from "@connectrpc/connect";
import type { NotificationCursor } from "../app/notifications.ts";

/** A place in a list, as callers carry it: opaque to them. */
export function tokenOf({ createdAt, id }: NotificationCursor): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString("base64url");
}

// Years of four digits: JavaScript knows others that the database does not.
const place = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Undefined for the first page. */
export function cursorOf(token: string): NotificationCursor | undefined {
  if (token === "") return undefined;
  const [, time = "", id = ""] = place.exec(Buffer.from(token, "base64url").toString()) ?? [];
  const createdAt = new Date(time);
  if (Number.isNaN(createdAt.getTime())) {
    throw new ConnectError(
      "page_token: value is not a token of this list: pass next_page_token as it came",
      Code.InvalidArgument,
    );
  }
  return { createdAt, id };
}

import { Code, ConnectError } from "@connectrpc/connect";

/** A place in the list of products, as callers carry it: opaque to them. */
export function tokenOf(productId: string): string {
  return Buffer.from(productId).toString("base64url");
}

/** The product after which the page starts; undefined for the first page. */
export function productIdOf(token: string): string | undefined {
  if (token === "") return undefined;
  const productId = Buffer.from(token, "base64url").toString();
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(productId)) {
    throw new ConnectError(
      "page_token: value is not a token of this list: pass next_page_token as it came",
      Code.InvalidArgument,
    );
  }
  return productId;
}

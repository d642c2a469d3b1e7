import { pageTokens } from "@weft/service";

/** The tokens of the list of products, which goes by their ids: the one that the page before ended with. */
export const productPageTokens = pageTokens<string>({
  write: (productId) => productId,
  read: (text) => (/^[a-z0-9][a-z0-9-]{0,63}$/.test(text) ? text : undefined),
});

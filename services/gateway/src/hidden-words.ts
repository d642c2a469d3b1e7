import { Code } from "@connectrpc/connect";

/** What is told outside of errors whose own words can name hosts and internals. */
export const hiddenWords: ReadonlyMap<Code, string> = new Map([
  [Code.Internal, "internal error"],
  [Code.Unknown, "internal error"],
  [Code.DataLoss, "internal error"],
  [Code.Unavailable, "the service is not available now: try again"],
]);

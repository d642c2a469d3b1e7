import { Code, ConnectError } from "@connectrpc/connect";
import { outwardMetadata } from "./metadata.ts";

/** What is told of errors whose own words can name hosts and internals. */
const words: ReadonlyMap<Code, string> = new Map([
  [Code.Internal, "internal error"],
  [Code.Unknown, "internal error"],
  [Code.DataLoss, "internal error"],
  [Code.Unavailable, "the service is not available now: try again"],
]);

/** An error of a call as the outside may see it: its code and details, and its message unless that is the inside's own. */
export function outwardError(error: unknown, onHidden: (error: unknown) => void): ConnectError {
  const known = ConnectError.from(error);
  const told = words.get(known.code);
  if (told !== undefined) onHidden(error);
  const outward = new ConnectError(told ?? known.rawMessage, known.code, outwardMetadata(known.metadata));
  if (told === undefined) outward.details = known.details;
  return outward;
}

import { ConnectError } from "@connectrpc/connect";
import { hiddenWords } from "../hidden-words.ts";
import { outwardMetadata } from "./metadata.ts";

/** An error of a call as the outside may see it: its code and details, and its message unless that is the inside's own. */
export function outwardError(error: unknown, onHidden: (error: unknown) => void): ConnectError {
  const known = ConnectError.from(error);
  const told = hiddenWords.get(known.code);
  if (told !== undefined) onHidden(error);
  const outward = new ConnectError(told ?? known.rawMessage, known.code, outwardMetadata(known.metadata));
  if (told === undefined) outward.details = known.details;
  return outward;
}

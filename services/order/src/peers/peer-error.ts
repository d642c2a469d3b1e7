import { Code, ConnectError } from "@connectrpc/connect";
import { PeerAwayError } from "../domain/refusals.ts";

/**
 * What a peer's failure means here, other than an answer that the contract speaks of: it is away, or has no room or time
 * for us; the caller left; or it is broken, which nobody outside is told more of.
 */
export function peerError(peer: string, error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  switch (error.code) {
    case Code.Unavailable:
    case Code.ResourceExhausted:
    case Code.DeadlineExceeded:
      return new PeerAwayError(peer, error);
    case Code.Canceled:
      return error;
    default:
      return new Error(`the ${peer} service answered ${Code[error.code]}: ${error.rawMessage}`, { cause: error });
  }
}

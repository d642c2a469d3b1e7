import { Code, ConnectError } from "@connectrpc/connect";

/** How a call ends on either side when its time is up: DEADLINE_EXCEEDED. */
export function deadlinePassed(): ConnectError {
  return new ConnectError("the call's deadline passed", Code.DeadlineExceeded);
}

import { Code, ConnectError } from "@connectrpc/connect";

export function expired(): ConnectError {
  return new ConnectError("the call's deadline passed", Code.DeadlineExceeded);
}

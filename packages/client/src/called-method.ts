import type { DescMethod } from "@bufbuild/protobuf";
import { durationHistogram, type RpcMethod, rpcMethod } from "@weft/telemetry";

const durations = durationHistogram(
  "weft.client",
  "rpc.client.call.duration",
  "how long calls took, with all of their attempts",
);

const attempts = durationHistogram(
  "weft.client",
  "weft.client.attempt.duration",
  "how long attempts took until their answer, or the first message of it",
);

/** What all calls of one method have in common, made with the first of them. */
export interface CalledMethod extends RpcMethod {
  readonly method: DescMethod;
  /** `package.Service/Method`. */
  readonly scope: string;
  /** Of their attempts, those that found no connection included. */
  readonly attempts: RpcMethod;
}

export function calledMethod(method: DescMethod): CalledMethod {
  const scope = `${method.parent.typeName}/${method.name}`;
  return { method, scope, ...rpcMethod(scope, durations), attempts: rpcMethod(scope, attempts) };
}

import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";

/** A request of either shape, as interceptors see it. */
export type RpcRequest = UnaryRequest | StreamRequest;

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The caller's remaining time in milliseconds, whichever protocol it speaks; undefined when it set none. */
export function callerTimeoutMs(header: Headers): number | undefined {
  const grpc = /^(\d{1,8})([HMSmun])$/.exec(header.get("grpc-timeout") ?? "");
  if (grpc) return Number(grpc[1]) * (unitMs[grpc[2] as string] as number);
  const connect = header.get("connect-timeout-ms");
  return connect !== null && /^\d{1,10}$/.test(connect) ? Number(connect) : undefined;
}

/** `package.Service/Method`: the name under which policies, keys and spans know it. */
export function scopeOf(request: RpcRequest): string {
  return `${request.service.typeName}/${request.method.name}`;
}

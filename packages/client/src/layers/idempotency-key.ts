import { headers } from "@weft/context";
import type { Layer } from "../call.ts";

/** A keyed method's call carries a key: the caller's, or a new one, so that its retries are one command. */
export function idempotencyKeyLayer(newKey: () => string): Layer {
  return (next) => (call) => {
    if (!call.policy.idempotencyKey || call.header.has(headers.idempotencyKey)) return next(call);
    const header = new Headers(call.header);
    header.set(headers.idempotencyKey, newKey());
    return next({ ...call, header });
  };
}

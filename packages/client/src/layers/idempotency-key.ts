import { createHash } from "node:crypto";
import { type CallContext, currentCall, headers } from "@weft/context";
import type { Layer } from "../call.ts";

/**
 * A keyed method's call carries a key: the caller's own, or one that derives from the command or event that this code
 * runs for (so that its repeat is the same command here), or a new one. All attempts of a call carry the same.
 */
export function idempotencyKeyLayer(newKey: () => string): Layer {
  const derive = keyDerivation();
  return (next) => (call) => {
    if (call.policy.idempotencyKey) {
      call.header[headers.idempotencyKey] ??= derive(currentCall(), call.scope) ?? newKey();
    }
    return next(call);
  };
}

/** The first call of a method under a key, its second, and so on are different commands. */
function keyDerivation() {
  const made = new WeakMap<CallContext, Map<string, number>>();
  return (cause: CallContext | undefined, scope: string): string | undefined => {
    if (cause?.idempotencyKey === undefined) return undefined;
    const counts = made.get(cause) ?? new Map<string, number>();
    made.set(cause, counts);
    const count = (counts.get(scope) ?? 0) + 1;
    counts.set(scope, count);
    return createHash("sha256").update(`${cause.idempotencyKey} ${scope} ${count}`).digest("base64url");
  };
}

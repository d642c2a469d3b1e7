import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { currentCall } from "@weft/context";
import { scopeOf } from "../request.ts";
import type { ServedMethod } from "../serve.ts";

/** Refuses callers that the contract's `allowed_callers` doesn't name. Without mTLS the name is only what the caller says. */
export function allowedCallersLayer(methods: ReadonlyMap<string, ServedMethod>): Interceptor {
  return (next) => (request) => {
    const allowed = methods.get(scopeOf(request))?.policy.allowedCallers ?? [];
    const caller = currentCall()?.caller;
    if (allowed.length > 0 && (caller === undefined || !allowed.includes(caller))) {
      throw new ConnectError(
        `${caller ?? "an unnamed caller"} may not call ${scopeOf(request)}`,
        Code.PermissionDenied,
      );
    }
    return next(request);
  };
}

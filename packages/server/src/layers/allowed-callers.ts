import { Code, ConnectError } from "@connectrpc/connect";
import type { Layer } from "../layer.ts";

/** Refuses callers that the contract's `allowed_callers` doesn't name. Without mTLS the name is only what the caller says. */
export const allowedCallersLayer: Layer = (next) => (call) => {
  const allowed = call.policy.allowedCallers;
  if (allowed.length > 0) {
    const { caller } = call;
    if (caller === undefined || !allowed.includes(caller)) {
      throw new ConnectError(`${caller ?? "an unnamed caller"} may not call ${call.scope}`, Code.PermissionDenied);
    }
  }
  return next(call);
};

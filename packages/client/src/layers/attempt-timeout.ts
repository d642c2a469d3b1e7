import type { Layer } from "../call.ts";
import { attemptTimeout } from "../errors.ts";

/** Gives one attempt up after the contract's `per_attempt_timeout`. It ends with the response's first sign of life. */
export const attemptTimeoutLayer: Layer = (next) => async (call) => {
  const timeoutMs = call.policy.retry?.perAttemptTimeoutMs;
  if (timeoutMs === undefined) return next(call);
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(attemptTimeout()), timeoutMs);
  try {
    return await next({ ...call, signal: AbortSignal.any([call.signal, timer.signal]) });
  } catch (error) {
    throw timer.signal.aborted && !call.signal.aborted ? timer.signal.reason : error;
  } finally {
    clearTimeout(timeout);
  }
};

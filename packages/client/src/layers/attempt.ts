import { type Clock, longestTimerMs } from "@weft/context";
import type { RpcResponse } from "@weft/rpc";
import type { Call } from "../call.ts";
import type { Endpoint } from "../endpoint.ts";
import { attemptTimeout, hasLasted } from "../errors.ts";

/**
 * Puts an attempt on the endpoint's connection, for the contract's `per_attempt_timeout` or what is left of the call. The transport ends
 * it when its time is up.
 */
export function attemptLayer(
  clock: Clock,
): (endpoint: Endpoint, call: Call, startedAt: number) => Promise<RpcResponse> {
  return (endpoint, call, startedAt) => {
    const { transport } = endpoint.connection;
    const remaining = Math.max(1, Math.ceil(call.deadline - startedAt));
    const timeoutMs = call.policy.retry?.perAttemptTimeoutMs;
    if (timeoutMs === undefined || timeoutMs >= remaining) return call.send(transport, remaining);
    if (call.outgoing.kind !== "one")
      return untilFirstSign(call, timeoutMs, (signal) => call.send(transport, remaining, signal));
    return call.send(transport, timeoutMs).catch((error: unknown) => {
      throw hasLasted(clock.now() - startedAt, timeoutMs, error) ? attemptTimeout() : error;
    });
  };
}

/** A stream may go on for longer: its attempt's time ends with the response's first sign of life. */
async function untilFirstSign(
  call: Call,
  timeoutMs: number,
  send: (signal: AbortSignal) => Promise<RpcResponse>,
): Promise<RpcResponse> {
  const caller = call.signal;
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(attemptTimeout()), Math.min(timeoutMs, longestTimerMs));
  try {
    return await send(caller === undefined ? timer.signal : AbortSignal.any([caller, timer.signal]));
  } catch (error) {
    throw timer.signal.aborted && !caller?.aborted ? timer.signal.reason : error;
  } finally {
    clearTimeout(timeout);
  }
}

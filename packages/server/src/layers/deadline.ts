import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { type Clock, createCall, currentCall, longestTimerMs, runWithCall } from "@weft/context";
import { abortable, orAborted, untilComplete } from "@weft/rpc";
import { callerTimeoutMs, scopeOf } from "../request.ts";
import type { ServedMethod } from "../serve.ts";

/**
 * The call ends when its caller's time is up, or the contract's, whichever is shorter. An expired call is not started.
 * The handler's own calls inherit what is left.
 */
export function deadlineLayer(methods: ReadonlyMap<string, ServedMethod>, clock: Clock): Interceptor {
  return (next) => async (request) => {
    const served = methods.get(scopeOf(request));
    const caller = callerTimeoutMs(request.header);
    const timeoutMs = Math.min(
      caller ?? Number.POSITIVE_INFINITY,
      served?.policy.timeoutMs ?? Number.POSITIVE_INFINITY,
    );
    if (!Number.isFinite(timeoutMs)) return next(request);
    if (timeoutMs <= 0) throw expired();
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(expired()), Math.min(timeoutMs, longestTimerMs));
    const signal = AbortSignal.any([request.signal, timer.signal]);
    const call = createCall({ ...currentCall(), deadline: clock.now() + timeoutMs, signal });
    return untilComplete(
      (run) => runWithCall(call, run).finally(() => clearTimeout(timeout)),
      async () => {
        const response = await orAborted(next({ ...request, signal }), signal);
        if (!response.stream) return response;
        return {
          ...response,
          message: abortable(response.message as AsyncIterable<unknown>, signal),
        } as StreamResponse;
      },
      signal,
    );
  };
}

/** The layer after a queue: a call whose time passed while it waited is not started. */
export function stillWantedLayer(clock: Clock): Interceptor {
  return (next) => (request) => {
    const deadline = currentCall()?.deadline;
    if (deadline !== undefined && clock.now() >= deadline) throw expired();
    return next(request);
  };
}

function expired(): ConnectError {
  return new ConnectError("the call's deadline passed", Code.DeadlineExceeded);
}

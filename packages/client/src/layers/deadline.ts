import { Code, ConnectError } from "@connectrpc/connect";
import { type Clock, longestTimerMs } from "@weft/context";
import { deadlinePassed } from "@weft/rpc";
import type { Call, Layer, Next } from "../call.ts";

/**
 * An expired call is not started. What runs is ended at its deadline by whoever it waits in: the transport, a queue, a retry's pause. A stream
 * is ended here too, since its reader may have left it standing.
 */
export function deadlineLayer(clock: Clock): Layer {
  return (next) => (call) => {
    const remaining = call.deadline - clock.now();
    if (remaining <= 0) return Promise.reject(deadlinePassed());
    if (call.signal?.aborted) return Promise.reject(ConnectError.from(call.signal.reason, Code.Canceled));
    return call.outgoing.kind === "one" ? next(call) : streamUntil(call, remaining, next);
  };
}

function streamUntil(call: Call, remaining: number, next: Next): ReturnType<Next> {
  const caller = call.signal;
  const timer = new AbortController();
  const expire = (): void => timer.abort(deadlinePassed());
  const timeout = setTimeout(expire, Math.min(remaining, longestTimerMs));
  call.signal = caller === undefined ? timer.signal : AbortSignal.any([caller, timer.signal]);
  call.atEnd(() => clearTimeout(timeout));
  return next(call).catch((error: unknown) => {
    if (timer.signal.aborted) throw deadlinePassed();
    if (caller?.aborted) throw ConnectError.from(caller.reason, Code.Canceled);
    throw error;
  });
}

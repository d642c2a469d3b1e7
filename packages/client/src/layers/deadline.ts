import { Code, ConnectError } from "@connectrpc/connect";
import { type Clock, longestTimerMs } from "@weft/context";
import { untilComplete } from "@weft/rpc";
import type { Layer } from "../call.ts";
import { blameForTime, deadlinePassed } from "../errors.ts";

/** Ends the call at its deadline, whatever is below; an expired call is not started. */
export function deadlineLayer(clock: Clock): Layer {
  return (next) => async (call) => {
    const remaining = call.deadline - clock.now();
    if (remaining <= 0) throw deadlinePassed();
    const timer = new AbortController();
    const timeout = setTimeout(
      () => timer.abort(blameForTime(deadlinePassed(), call)),
      Math.min(remaining, longestTimerMs),
    );
    const signal = AbortSignal.any([call.signal, timer.signal]);
    try {
      return await untilComplete(
        (run) => run().finally(() => clearTimeout(timeout)),
        () => next({ ...call, signal }),
        signal,
      );
    } catch (error) {
      if (timer.signal.aborted) throw deadlinePassed();
      if (call.signal.aborted) throw ConnectError.from(call.signal.reason, Code.Canceled);
      throw error;
    }
  };
}

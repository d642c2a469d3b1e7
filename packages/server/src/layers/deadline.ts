import { type Clock, longestTimerMs } from "@weft/context";
import { abortable, deadlinePassed, endsAtDeadline, orAborted } from "@weft/rpc";
import { type Answer, answersWithStream, type Layer, type Next, streamed } from "../layer.ts";
import type { ServedCall } from "../served-call.ts";

/**
 * The call ends when its caller's time is up, or the contract's, whichever is shorter. An expired call is not started.
 * The handler's own calls inherit what is left.
 */
export const deadlineLayer: Layer = (next) => (call) => {
  const { context } = call;
  const caller = context.timeoutMs() ?? Number.POSITIVE_INFINITY;
  if (caller <= 0) throw deadlinePassed();
  const timeoutMs = Math.min(caller, call.policy.timeoutMs);
  call.deadline = call.startedAt + timeoutMs;
  // The usual case, a client with the same contract: the listener ends the call in time by itself. A stream has to be left, too.
  if (caller === timeoutMs && endsAtDeadline(context) && !answersWithStream(call.method)) return next(call);
  return ended(call, timeoutMs, next);
};

function ended(call: ServedCall, timeoutMs: number, next: Next): Answer {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(deadlinePassed()), Math.min(timeoutMs, longestTimerMs));
  const signal = AbortSignal.any([call.signal, timer.signal]);
  call.signal = signal;
  call.atEnd(() => clearTimeout(timeout));
  const answer = next(call);
  if (answersWithStream(call.method)) return streamed(answer, (messages) => abortable(messages, signal));
  if (!(answer instanceof Promise)) return answer;
  // The caller is told in time; the call's places are taken for as long as its handler runs.
  call.outlivedBy = answer;
  return orAborted(answer, signal);
}

/** The layer after a queue: a call whose time passed while it waited is not started. */
export function stillWantedLayer(clock: Clock): Layer {
  return (next) => (call) => {
    if (call.hasWaited && call.deadline !== undefined && clock.now() >= call.deadline) throw deadlinePassed();
    return next(call);
  };
}

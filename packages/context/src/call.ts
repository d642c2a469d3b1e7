import { randomUUID } from "node:crypto";
import type { CallContext } from "./call-context.ts";
import { type Clock, systemClock } from "./clock.ts";
import { currentFrame, runInFrame } from "./frame.ts";

/** The call that this code runs for, or undefined outside of any. */
export function currentCall(): CallContext | undefined {
  return currentFrame()?.call;
}

/** Runs `work`, and all that it awaits, for `call`. */
export function runWithCall<T>(call: CallContext, work: () => T): T {
  return runInFrame({ call, trace: currentFrame()?.trace }, work);
}

/** A context for work that no caller started: a timer, a worker, a test. Fields that are given win. */
export function createCall(fields: Partial<CallContext> = {}): CallContext {
  return {
    correlationId: fields.correlationId ?? randomUUID(),
    deadline: fields.deadline,
    signal: fields.signal,
    caller: fields.caller,
    idempotencyKey: fields.idempotencyKey,
    command: fields.command,
    downstream: fields.downstream ?? { unavailable: undefined },
  };
}

/** `call` with something else in it. What isn't named is asked of `call` when it is needed. */
export function deriveCall(call: CallContext | undefined, changes: Partial<CallContext>): CallContext {
  if (call === undefined) return createCall(changes);
  return {
    correlationId: changes.correlationId ?? call.correlationId,
    deadline: changes.deadline ?? call.deadline,
    get signal() {
      return changes.signal ?? call.signal;
    },
    caller: changes.caller ?? call.caller,
    idempotencyKey: changes.idempotencyKey ?? call.idempotencyKey,
    command: changes.command ?? call.command,
    downstream: changes.downstream ?? call.downstream,
  };
}

/** Milliseconds until the call's deadline, never negative; undefined when it has none. */
export function remainingMs(call: CallContext | undefined, clock: Clock = systemClock): number | undefined {
  return call?.deadline === undefined ? undefined : Math.max(0, call.deadline - clock.now());
}

import { AsyncLocalStorage } from "node:async_hooks";
import type { CallContext } from "./call-context.ts";

/**
 * What code runs in: its call, and the tracing context that OpenTelemetry keeps. One store for both, since each store that is entered costs
 * every call a copy of all of them.
 */
export interface Frame {
  readonly call: CallContext | undefined;
  /** OpenTelemetry's `Context`, which this package doesn't know. */
  readonly trace: unknown;
}

const frames = new AsyncLocalStorage<Frame>();

/** Runs what outlives the call that began it: no call is current in it. */
export const outsideOfCalls = AsyncLocalStorage.snapshot();

export function currentFrame(): Frame | undefined {
  return frames.getStore();
}

/** Runs `work`, and all that it awaits, in `frame`. */
export function runInFrame<A extends unknown[], T>(frame: Frame, work: (...args: A) => T, ...args: A): T {
  return frames.run(frame, work, ...args);
}

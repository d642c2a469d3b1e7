export { createCall, currentCall, deriveCall, remainingMs, runWithCall } from "./call.ts";
export type { CallContext, Downstream, KeyedCommand } from "./call-context.ts";
export { type Clock, longestTimerMs, systemClock } from "./clock.ts";
export { currentFrame, type Frame, outsideOfCalls, runInFrame } from "./frame.ts";
export { headers } from "./headers.ts";

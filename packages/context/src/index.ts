export {
  type CallContext,
  createCall,
  currentCall,
  type Downstream,
  type KeyedCommand,
  remainingMs,
  runWithCall,
} from "./call.ts";
export { type Clock, longestTimerMs, systemClock } from "./clock.ts";
export { headers } from "./headers.ts";

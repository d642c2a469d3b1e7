export { type CallDurations, callDurations, type DurationHistogram, durationHistogram } from "./call-durations.ts";
export { runTraced } from "./frame-context.ts";
export { createLogger, type Logger, type LoggerOptions, silentLogger } from "./logger.ts";
export { continueFrom, currentOrigin, type Origin } from "./origin.ts";
export { extractTrace, injectTrace } from "./propagation.ts";
export { type RpcMethod, rpcMethod } from "./rpc-method.ts";
export {
  type Attributes,
  addSpanEvent,
  beginSpan,
  type Context,
  inSpan,
  meter,
  type OpenSpan,
  recordError,
  type Span,
  SpanKind,
  type SpanOptions,
  setSpanAttributes,
  traced,
} from "./span.ts";
export { startTelemetry, type Telemetry, type TelemetryEnvironment, type TelemetryOptions } from "./start.ts";

export { createLogger, type Logger, type LoggerOptions, silentLogger } from "./logger.ts";
export { continueFrom, currentOrigin, type Origin } from "./origin.ts";
export {
  type Attributes,
  addSpanEvent,
  type Context,
  extractTrace,
  injectTrace,
  inSpan,
  meter,
  recordError,
  type Span,
  SpanKind,
  type SpanOptions,
  setSpanAttributes,
  traced,
} from "./span.ts";
export { startTelemetry, type Telemetry, type TelemetryEnvironment, type TelemetryOptions } from "./start.ts";

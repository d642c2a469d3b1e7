import { trace } from "@opentelemetry/api";
import { currentCall } from "@weft/context";
import { type DestinationStream, pino } from "pino";

/** Structured logs: fields first, then one plain sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger whose every line has these fields too. */
  child(fields: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  readonly service: string;
  /** Default "info". */
  readonly level?: string;
  /** Default: stdout. */
  readonly destination?: DestinationStream;
}

/** One JSON object a line; each carries trace_id, span_id and correlation_id of the call that it was written for. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? "info",
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      mixin: callFields,
      redact: ["password", "authorization", "payment_token", "paymentToken", "*.password", "*.paymentToken"],
    },
    options.destination ?? standardOutput(),
  );
}

/**
 * Not pino's own destination: once the reader of the pipe is gone, its flush at exit waits for ever. Here the lines are
 * lost, and the process goes on.
 */
function standardOutput(): DestinationStream {
  if (!process.stdout.listeners("error").includes(ignoreLostReader)) process.stdout.on("error", ignoreLostReader);
  return process.stdout;
}

function ignoreLostReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function callFields(): Record<string, string> {
  const fields: Record<string, string> = {};
  const span = trace.getActiveSpan()?.spanContext();
  if (span) {
    fields.trace_id = span.traceId;
    fields.span_id = span.spanId;
  }
  const call = currentCall();
  if (call) fields.correlation_id = call.correlationId;
  return fields;
}

/** A logger that says nothing, for tests and tools. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

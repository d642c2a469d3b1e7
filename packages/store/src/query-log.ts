import { SpanStatusCode, trace } from "@opentelemetry/api";
import { type Logger, SpanKind } from "@weft/telemetry";
import type { LogEvent } from "kysely";
import { describeQuery } from "./describe-query.ts";
import { databaseCode } from "./errors.ts";

export interface QueryLogOptions {
  /** The database's name. */
  readonly namespace: string;
  /** A statement that takes longer is logged, in milliseconds. */
  readonly slowQueryMs: number;
  readonly logger: Logger;
}

const silent = new Set(["BEGIN", "START", "SAVEPOINT", "RELEASE"]);

/**
 * What becomes of each statement that Kysely ran: a client span below the active one (semantic conventions for
 * databases; values never leave the process), and a warning when it was slow. Nothing is recorded outside of a trace,
 * so that pollers don't fill the collector.
 */
export function createQueryLog(options: QueryLogOptions): (event: LogEvent) => void {
  const tracer = trace.getTracer("weft.store");
  return (event) => {
    if (event.queryDurationMillis > options.slowQueryMs) {
      options.logger.warn(
        { durationMs: Math.round(event.queryDurationMillis), sql: event.query.sql },
        "a statement was slow",
      );
    }
    if (!trace.getActiveSpan()?.isRecording()) return;
    const { operation, collection } = describeQuery(event.query.sql);
    if (silent.has(operation)) return;
    const summary = collection === undefined ? operation : `${operation} ${collection}`;
    const end = performance.timeOrigin + performance.now();
    const span = tracer.startSpan(summary, {
      kind: SpanKind.CLIENT,
      startTime: end - event.queryDurationMillis,
      attributes: {
        "db.system.name": "postgresql",
        "db.namespace": options.namespace,
        "db.operation.name": operation,
        "db.query.summary": summary,
        "db.query.text": event.query.sql,
        ...(collection !== undefined && { "db.collection.name": collection }),
      },
    });
    if (event.level === "error") {
      const code = databaseCode(event.error) ?? "_OTHER";
      span.setAttributes({ "error.type": code, "db.response.status_code": code });
      span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    }
    span.end(end);
  };
}

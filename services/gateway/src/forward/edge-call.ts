import { randomUUID } from "node:crypto";
import { createCall, headers, runWithCall, systemClock } from "@weft/context";
import { type Attributes, extractTrace, inSpan, type Span, SpanKind } from "@weft/telemetry";

/** A call as it arrives at the edge, in whatever protocol. */
export interface EdgeCall {
  /** The span's name, such as "GET /v1/users/{user_id}". */
  readonly name: string;
  readonly attributes: Attributes;
  readonly correlationId: string;
  /** Fires when the caller went away. */
  readonly signal: AbortSignal;
  /** What the caller gives the call, in milliseconds. */
  readonly timeoutMs: number | undefined;
  readonly header: (name: string) => string | undefined;
}

/** Runs `work` for the call: inside its span, a child of the caller's, and with its correlation id, deadline and key. */
export function runEdgeCall<T>(edge: EdgeCall, work: (span: Span) => Promise<T>): Promise<T> {
  const call = createCall({
    correlationId: edge.correlationId,
    deadline: edge.timeoutMs === undefined ? undefined : systemClock.now() + edge.timeoutMs,
    signal: edge.signal,
    idempotencyKey: edge.header(headers.idempotencyKey),
  });
  const options = { kind: SpanKind.SERVER, attributes: edge.attributes, parent: extractTrace(edge.header) };
  return inSpan(edge.name, options, (span) => runWithCall(call, () => work(span)));
}

/** The caller's correlation id when it can be logged as it is, else a new one. */
export function correlationIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

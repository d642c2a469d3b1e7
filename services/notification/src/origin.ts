import { createCall, currentCall, runWithCall } from "@weft/context";
import { extractTrace, injectTrace, inSpan, type SpanOptions } from "@weft/telemetry";

/** What made work owed: kept beside it, so that whoever does it later does it in the same trace and correlation. */
export interface Origin {
  readonly correlationId: string;
  /** W3C trace context, as headers. */
  readonly trace: Readonly<Record<string, string>>;
}

/** The origin of what is written now. */
export function currentOrigin(): Origin {
  const trace: Record<string, string> = {};
  injectTrace((name, value) => {
    trace[name] = value;
  });
  return { correlationId: createCall({ ...currentCall() }).correlationId, trace };
}

/** Runs `work` in a span of its origin's trace, and as nobody's call: no caller's deadline ends it. */
export function continueFrom<T>(
  origin: Origin,
  span: string,
  options: SpanOptions,
  work: () => Promise<T>,
): Promise<T> {
  const parent = extractTrace((name) => origin.trace[name]);
  return runWithCall(createCall({ correlationId: origin.correlationId }), () =>
    inSpan(span, { ...options, parent }, work),
  );
}

import { createCall, currentCall, runWithCall } from "@weft/context";
import { extractTrace, injectTrace } from "./propagation.ts";
import { inSpan, type SpanOptions } from "./span.ts";

/** What made work owed: kept in the row of the work, so that whoever does it later does it in the same trace and correlation. */
export interface Origin {
  readonly correlationId: string;
  /** W3C trace context, as headers. */
  readonly trace: Readonly<Record<string, string>>;
}

/** The origin of what is written now; outside of any call one of its own. */
export function currentOrigin(): Origin {
  const trace: Record<string, string> = {};
  injectTrace((name, value) => {
    trace[name] = value;
  });
  const { correlationId } = currentCall() ?? createCall();
  return { correlationId, trace };
}

/** Runs `work` in a span of its origin's trace, and as nobody's call: no caller's deadline or cancel ends it. */
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

import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Meter,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const instrumentation = "weft";

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: Link[];
  /** The context to start in, for work that another process caused; the active one when absent. */
  readonly parent?: Context;
}

/** Runs `work` inside a span that ends with it; an error is recorded on the span and thrown on. */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T> | T): Promise<T> {
  const { parent = context.active(), ...spanOptions } = options;
  const span = trace.getTracer(instrumentation).startSpan(name, spanOptions, parent);
  try {
    return await context.with(trace.setSpan(parent, span), work, undefined, span);
  } catch (error) {
    recordError(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks the span as failed, with the error's message and no stack. */
export function recordError(span: Span, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.addEvent("exception", {
    "exception.type": error instanceof Error ? error.name : typeof error,
    "exception.message": message,
  });
}

/** `fn`, with a span of that name around each call. */
export function traced<A extends unknown[], T>(
  name: string,
  fn: (...args: A) => Promise<T> | T,
): (...args: A) => Promise<T> {
  return (...args) => inSpan(name, {}, () => fn(...args));
}

/** Adds an event to the active span, if there is one. */
export function addSpanEvent(name: string, attributes?: Attributes): void {
  trace.getActiveSpan()?.addEvent(name, attributes);
}

export function setSpanAttributes(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Writes the active trace context (W3C) as headers. */
export function injectTrace(set: (name: string, value: string) => void, from: Context = context.active()): void {
  propagation.inject(from, undefined, { set: (_carrier, name, value) => set(name, value) });
}

/** The trace context that headers carry, or an empty one: what started elsewhere never becomes a child of what is active here. */
export function extractTrace(get: (name: string) => string | null | undefined): Context {
  return propagation.extract(ROOT_CONTEXT, undefined, {
    get: (_carrier, name) => get(name) ?? undefined,
    keys: () => [],
  });
}

/** The meter for a package, such as "weft.client". */
export function meter(name: string): Meter {
  return metrics.getMeter(name);
}

export { type Attributes, type Context, type Span, SpanKind };

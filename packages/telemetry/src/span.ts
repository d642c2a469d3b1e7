import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Meter,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

import { unrecorded } from "./sampling.ts";

const instrumentation = "weft";

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: Link[];
  /** The context to start in, for work that another process caused; the active one when absent. */
  readonly parent?: Context;
}

/** A span that was begun, and what is to be active while its work runs. */
export interface OpenSpan {
  readonly context: Context;
  /** Absent when nothing is recorded: then there is nothing to be told, and nothing to be ended. */
  readonly recorded: Span | undefined;
}

/** Begins a span, for who can't wrap its work into a function; `recorded` is to be ended. What isn't sampled costs next to nothing. */
export function beginSpan(name: string, options: SpanOptions): OpenSpan {
  const { parent = context.active(), ...spanOptions } = options;
  const instead = unrecorded(parent);
  if (instead !== undefined) return { context: instead, recorded: undefined };
  const span = trace.getTracer(instrumentation).startSpan(name, spanOptions, parent);
  return { context: trace.setSpan(parent, span), recorded: span };
}

/** Runs `work` inside a span that ends with it; an error is recorded on the span and thrown on. */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T> | T): Promise<T> {
  const { context: inside, recorded } = beginSpan(name, options);
  // What is told to a span that isn't recorded is dropped.
  if (recorded === undefined) return await context.with(inside, work, undefined, trace.getSpan(inside) as Span);
  try {
    return await context.with(inside, work, undefined, recorded);
  } catch (error) {
    recordError(recorded, error);
    throw error;
  } finally {
    recorded.end();
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

/** The meter for a package, such as "weft.client". */
export function meter(name: string): Meter {
  return metrics.getMeter(name);
}

export { type Attributes, type Context, type Span, SpanKind };

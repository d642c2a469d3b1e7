import { type Context, createContextKey, ROOT_CONTEXT, type Span, type SpanContext, trace } from "@opentelemetry/api";

/** What `@opentelemetry/api` keeps a context's span under. */
const spanKey = keyOfSpan();

const shape = /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
const noTraceId = "0".repeat(32);
const noSpanId = "0".repeat(16);

/** Whether it is a traceparent of version 00 (W3C Trace Context, section 3.2). */
export function isTraceparent(value: string): boolean {
  return shape.test(value) && !value.startsWith(noTraceId, 3) && !value.startsWith(noSpanId, 36);
}

/**
 * A context that holds a span's identity and nothing else, as it travels: where nothing is recorded, that is all that calls need. One of
 * OpenTelemetry's own is a map and three closures, and its identity has to be taken apart first.
 */
export class TraceparentContext implements Context {
  /** `isTraceparent` has said that it is one. */
  readonly traceparent: string;
  readonly #isRemote: boolean;
  #span: Span | undefined;

  constructor(traceparent: string, isRemote: boolean) {
    this.traceparent = traceparent;
    this.#isRemote = isRemote;
  }

  get isSampled(): boolean {
    return (Number.parseInt(this.traceparent.charAt(54), 16) & 1) === 1;
  }

  getValue(key: symbol): unknown {
    if (key !== spanKey) return undefined;
    this.#span ??= trace.wrapSpanContext(this.#spanContext());
    return this.#span;
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#whole().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#whole().deleteValue(key);
  }

  #whole(): Context {
    return trace.setSpanContext(ROOT_CONTEXT, this.#spanContext());
  }

  #spanContext(): SpanContext {
    return {
      traceId: this.traceparent.slice(3, 35),
      spanId: this.traceparent.slice(36, 52),
      traceFlags: Number.parseInt(this.traceparent.slice(53, 55), 16),
      isRemote: this.#isRemote,
    };
  }
}

function keyOfSpan(): symbol {
  let key = createContextKey("none");
  const asked: Context = {
    getValue(asking) {
      key = asking;
      return undefined;
    },
    setValue: () => asked,
    deleteValue: () => asked,
  };
  trace.getSpan(asked);
  return key;
}

export type SpanKind = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";

/** What OTLP's AnyValue can hold; bytes are base64. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

/** A span as it was exported. */
export interface CollectedSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Undefined for a trace's first span. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** The resource's `service.name`. */
  readonly service: string;
  /** The instrumentation that made it. */
  readonly scope: string;
  /** Nanoseconds since the epoch. */
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly events: readonly {
    readonly name: string;
    readonly time: bigint;
    readonly attributes: Readonly<Record<string, AttributeValue>>;
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: "unset" | "ok" | "error"; readonly message: string };
  readonly resource: Readonly<Record<string, AttributeValue>>;
}

import { type Context, INVALID_TRACEID, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import type { IdGenerator } from "@opentelemetry/sdk-trace";
import { TraceparentContext } from "./traceparent-context.ts";

/**
 * What is known of this process's sampling, so that a span which nobody will see costs nothing: neither a span of the SDK's, nor an id, where its
 * parent's does.
 */
export type Sampling =
  /** The SDK is asked for each span. */
  | { readonly kind: "ask" }
  /** Nothing is recorded here. Whoever is further on may record: what came is handed on as it is. */
  | { readonly kind: "none" }
  /** A span whose parent is not sampled is none either; a root is, when its trace id says so. */
  | { readonly kind: "parent-based"; isSampledRoot(traceId: string): boolean };

let sampling: Sampling = { kind: "ask" };
/** What ids are made of, in [0, 1). */
let random = Math.random;
/** The next root's id, which had to be known before its span. */
let nextTraceId: string | undefined;

export function setSampling(next: Sampling, source: () => number): void {
  sampling = next;
  random = source;
}

/** Ids as the SDK takes them (W3C Trace Context, 16 and 8 octets in hex), at random. */
export const idGenerator: IdGenerator = {
  generateTraceId() {
    const id = nextTraceId ?? newTraceId();
    nextTraceId = undefined;
    return id;
  },
  generateSpanId: newSpanId,
};

/** A context in place of a span's, when a span in `parent` would not be recorded; undefined when it may be. */
export function unrecorded(parent: Context): Context | undefined {
  if (sampling.kind === "ask") return undefined;
  if (parent instanceof TraceparentContext) return sampling.kind === "none" || !parent.isSampled ? parent : undefined;
  const from = trace.getSpanContext(parent);
  if (from !== undefined && from.traceId !== INVALID_TRACEID) {
    const passesOn = sampling.kind === "none" || (from.traceFlags & TraceFlags.SAMPLED) === 0;
    return passesOn ? parent : undefined;
  }
  const traceId = newTraceId();
  if (sampling.kind === "parent-based" && sampling.isSampledRoot(traceId)) {
    nextTraceId = traceId;
    return undefined;
  }
  const spanId = newSpanId();
  if (parent === ROOT_CONTEXT) return new TraceparentContext(`00-${traceId}-${spanId}-00`, false);
  return trace.setSpanContext(parent, { traceId, spanId, traceFlags: TraceFlags.NONE });
}

function newTraceId(): string {
  return word() + word() + word() + word();
}

function newSpanId(): string {
  return word() + word();
}

const octets = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** 32 bits in hex, never all zero: an id of zeros is invalid. */
function word(): string {
  const bits = (random() * 0xffff_ffff + 1) >>> 0;
  return (
    (octets[bits >>> 24] as string) +
    (octets[(bits >>> 16) & 255] as string) +
    (octets[(bits >>> 8) & 255] as string) +
    (octets[bits & 255] as string)
  );
}

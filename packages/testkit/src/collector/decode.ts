import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import type { AttributeValue, CollectedSpan, SpanKind } from "./span.ts";

/**
 * The spans of an ExportTraceServiceRequest: those fields of opentelemetry/proto/trace/v1 (OTLP 1.x) that tests look at; others
 * are passed over. Throws on bytes that are no protobuf.
 */
export function decodeTraces(bytes: Uint8Array): CollectedSpan[] {
  const spans: CollectedSpan[] = [];
  read(bytes, {
    1: (request) => spans.push(...readResourceSpans(request.bytes())),
  });
  return spans;
}

type Fields = Readonly<Record<number, (reader: BinaryReader) => void>>;

const kinds: readonly SpanKind[] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const statuses: readonly CollectedSpan["status"]["code"][] = ["unset", "ok", "error"];

/** Calls the reader of each field that is known, in the order of the wire. */
function read(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const readField = fields[field];
    if (readField) readField(reader);
    else reader.skip(wireType as WireType, field);
  }
}

function readResourceSpans(bytes: Uint8Array): CollectedSpan[] {
  const resource: Record<string, AttributeValue> = {};
  const scopes: Uint8Array[] = [];
  read(bytes, {
    1: (r) => read(r.bytes(), { 1: (attribute) => readAttribute(attribute, resource) }),
    2: (r) => scopes.push(r.bytes()),
  });
  return scopes.flatMap((scope) => readScopeSpans(scope, resource));
}

function readScopeSpans(bytes: Uint8Array, resource: Record<string, AttributeValue>): CollectedSpan[] {
  let scope = "";
  const spans: Uint8Array[] = [];
  read(bytes, {
    1: (r) => read(r.bytes(), { 1: (name) => (scope = name.string()) }),
    2: (r) => spans.push(r.bytes()),
  });
  return spans.map((span) => readSpan(span, scope, resource));
}

function readSpan(bytes: Uint8Array, scope: string, resource: Record<string, AttributeValue>): CollectedSpan {
  const span = {
    traceId: "",
    spanId: "",
    parentSpanId: undefined as string | undefined,
    name: "",
    kind: "unspecified" as SpanKind,
    service: String(resource["service.name"] ?? ""),
    scope,
    startTime: 0n,
    endTime: 0n,
    attributes: {} as Record<string, AttributeValue>,
    events: [] as CollectedSpan["events"][number][],
    links: [] as CollectedSpan["links"][number][],
    status: { code: "unset", message: "" } as CollectedSpan["status"],
    resource,
  };
  read(bytes, {
    1: (r) => (span.traceId = hex(r)),
    2: (r) => (span.spanId = hex(r)),
    4: (r) => (span.parentSpanId = hex(r) || undefined),
    5: (r) => (span.name = r.string()),
    6: (r) => (span.kind = kinds[r.int32()] ?? "unspecified"),
    7: (r) => (span.startTime = BigInt(r.fixed64())),
    8: (r) => (span.endTime = BigInt(r.fixed64())),
    9: (r) => readAttribute(r, span.attributes),
    11: (r) => span.events.push(readEvent(r.bytes())),
    13: (r) => span.links.push(readLink(r.bytes())),
    15: (r) => (span.status = readStatus(r.bytes())),
  });
  return span;
}

function readEvent(bytes: Uint8Array): CollectedSpan["events"][number] {
  const event = { name: "", time: 0n, attributes: {} as Record<string, AttributeValue> };
  read(bytes, {
    1: (r) => (event.time = BigInt(r.fixed64())),
    2: (r) => (event.name = r.string()),
    3: (r) => readAttribute(r, event.attributes),
  });
  return event;
}

function readLink(bytes: Uint8Array): CollectedSpan["links"][number] {
  const link = { traceId: "", spanId: "" };
  read(bytes, { 1: (r) => (link.traceId = hex(r)), 2: (r) => (link.spanId = hex(r)) });
  return link;
}

function readStatus(bytes: Uint8Array): CollectedSpan["status"] {
  let message = "";
  let code: CollectedSpan["status"]["code"] = "unset";
  read(bytes, { 2: (r) => (message = r.string()), 3: (r) => (code = statuses[r.int32()] ?? "unset") });
  return { code, message };
}

function readAttribute(reader: BinaryReader, into: Record<string, AttributeValue>): void {
  let key = "";
  let value: AttributeValue = null;
  read(reader.bytes(), { 1: (r) => (key = r.string()), 2: (r) => (value = readValue(r.bytes())) });
  into[key] = value;
}

function readValue(bytes: Uint8Array): AttributeValue {
  let value: AttributeValue = null;
  read(bytes, {
    1: (r) => (value = r.string()),
    2: (r) => (value = r.bool()),
    3: (r) => (value = Number(r.int64())),
    4: (r) => (value = r.double()),
    5: (r) => {
      const items: AttributeValue[] = [];
      read(r.bytes(), { 1: (item) => items.push(readValue(item.bytes())) });
      value = items;
    },
    6: (r) => {
      const entries: Record<string, AttributeValue> = {};
      read(r.bytes(), { 1: (entry) => readAttribute(entry, entries) });
      value = entries;
    },
    7: (r) => (value = Buffer.from(r.bytes()).toString("base64")),
  });
  return value;
}

function hex(reader: BinaryReader): string {
  return Buffer.from(reader.bytes()).toString("hex");
}

import { context } from "@opentelemetry/api";
import { extractTrace, injectTrace, inSpan, SpanKind } from "@weft/telemetry";
import type { Broker } from "../broker.ts";
import { encodeHeader, eventHeaders, type Headers } from "../event-headers.ts";
import { streamOf } from "../stream.ts";
import type { OutboxRow } from "./outbox-table.ts";

/**
 * Publishes one row: a producer span below the transaction that wrote the row, whose context the message carries on,
 * so that the consumer's span is its child. Resolves with the message's number in its stream.
 */
export function publishRow(broker: Broker, service: string, row: OutboxRow): Promise<bigint> {
  const attributes = {
    "messaging.system": "nats",
    "messaging.operation.type": "send",
    "messaging.operation.name": "publish",
    "messaging.destination.name": row.subject,
    "messaging.message.id": row.id,
    "messaging.message.body.size": row.data.length,
  };
  const written = JSON.parse(row.headers) as Headers;
  const parent = extractTrace((name) => written[name]);
  return inSpan(`publish ${row.subject}`, { kind: SpanKind.PRODUCER, attributes, parent }, async () => {
    const headers: Record<string, string> = {
      ...written,
      [eventHeaders.source]: `/${encodeHeader(service)}`,
      [eventHeaders.keySeq]: row.keySeq,
    };
    injectTrace((name, value) => {
      headers[name] = value;
    }, context.active());
    const { sequence } = await broker.publish({
      stream: streamOf(row.stream, row.subject),
      subject: row.subject,
      id: row.id,
      headers,
      data: row.data,
    });
    return sequence;
  });
}

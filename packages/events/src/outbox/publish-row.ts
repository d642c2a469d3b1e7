import { context } from "@opentelemetry/api";
import { extractTrace, injectTrace, inSpan, SpanKind } from "@weft/telemetry";
import type { Broker } from "../broker.ts";
import { encodeHeader, eventHeaders } from "../event-headers.ts";
import { streamOf } from "../stream.ts";
import type { OutboxRow } from "./outbox-table.ts";

/** Publishes one row; resolves with the message's number in its stream. */
export type PublishRow = (row: OutboxRow) => Promise<bigint>;

/**
 * A producer span for each row, below the transaction that wrote the row, whose context the message carries on, so that the
 * consumer's span is its child.
 */
export function createRowPublisher(broker: Broker, service: string): PublishRow {
  const source = `/${encodeHeader(service)}`;
  return async (row) => {
    const headers = JSON.parse(row.headers) as Record<string, string>;
    const attributes = {
      "messaging.system": "nats",
      "messaging.operation.type": "send",
      "messaging.operation.name": "publish",
      "messaging.destination.name": row.subject,
      "messaging.message.id": row.id,
      "messaging.message.body.size": row.data.length,
    };
    const parent = extractTrace((name) => headers[name]);
    const published = inSpan(`publish ${row.subject}`, { kind: SpanKind.PRODUCER, attributes, parent }, () => {
      headers[eventHeaders.source] = source;
      headers[eventHeaders.keySeq] = row.keySeq;
      injectTrace((name, value) => {
        headers[name] = value;
      }, context.active());
      const { subject, id, data } = row;
      return broker.publish({
        stream: streamOf(row.stream, subject),
        ...{ subject, id, headers, data },
        toExisting: true,
      });
    });
    return (await published).sequence;
  };
}

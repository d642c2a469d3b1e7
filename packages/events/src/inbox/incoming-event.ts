import type { IncomingMessage } from "../broker.ts";
import { deadLetterHeaders, decodeHeader, eventHeaders, storableText } from "../event-headers.ts";
import { deriveEventId, isEventId } from "../event-id.ts";

/** A message as the inbox sees it. */
export interface IncomingEvent {
  readonly message: IncomingMessage;
  readonly id: string;
  readonly subject: string;
  readonly key: string;
  /** Undefined for a message that no outbox numbered. */
  readonly keySeq: bigint | undefined;
  readonly correlationId: string;
  /** The service that published. */
  readonly source: string;
  readonly occurredAt: Date;
  readonly expiresAt: Date | undefined;
}

/** A dead letter that comes back, as the event that it was. */
export function readReplay(message: IncomingMessage): IncomingEvent {
  return { ...readEvent(message), subject: message.headers[deadLetterHeaders.subject] ?? message.subject };
}

/** Reads the headers. A message of a foreign publisher gets an id by its place in the stream, and no order. */
export function readEvent(message: IncomingMessage): IncomingEvent {
  const header = (name: string): string | undefined => {
    const value = message.headers[name];
    return value === undefined ? undefined : storableText(decodeHeader(value));
  };
  const id = header(eventHeaders.id);
  const eventId = id !== undefined && isEventId(id) ? id : deriveEventId(`${message.stream} ${id ?? message.sequence}`);
  const keySeq = header(eventHeaders.keySeq);
  return {
    message,
    id: eventId,
    subject: message.subject,
    key: header(eventHeaders.key) || eventId,
    keySeq: keySeq !== undefined && /^[1-9]\d{0,17}$/.test(keySeq) ? BigInt(keySeq) : undefined,
    correlationId: header(eventHeaders.correlationId) ?? eventId,
    source: header(eventHeaders.source)?.replace(/^\//, "") ?? "unknown",
    occurredAt: date(header(eventHeaders.time)) ?? message.storedAt,
    expiresAt: date(header(eventHeaders.expiresAt)),
  };
}

function date(text: string | undefined): Date | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** Headers of an event: CloudEvents 1.0 in binary mode over NATS, W3C trace context, and the mesh's own. */
export const eventHeaders = {
  contentType: "content-type",
  id: "ce-id",
  source: "ce-source",
  type: "ce-type",
  specVersion: "ce-specversion",
  time: "ce-time",
  subject: "ce-subject",
  /** CloudEvents' partitioning extension: the key that orders. */
  key: "ce-partitionkey",
  /** CloudEvents' sequence extension: the event's number within its key, from 1 on and without gaps. */
  keySeq: "ce-sequence",
  /** After this time the event is not worth handling any more. */
  expiresAt: "ce-expirytime",
  correlationId: "x-correlation-id",
  schemaHash: "weft-schema-hash",
  traceparent: "traceparent",
  tracestate: "tracestate",
} as const;

/** What only a dead letter has, besides all headers of the event that it was. */
export const deadLetterHeaders = {
  reason: "weft-dead-reason",
  error: "weft-dead-error",
  service: "weft-dead-service",
  subject: "weft-dead-subject",
  /** The event's own `ce-source`: the dead letter's is the service that gave up. */
  source: "weft-dead-source",
  /** The event's own `ce-sequence`: the dead letter's counts the dead letters of its key. */
  keySeq: "weft-dead-sequence",
  stream: "weft-dead-stream",
  streamSequence: "weft-dead-stream-sequence",
  attempts: "weft-dead-attempts",
  at: "weft-dead-at",
} as const;

/** The id that a broker keeps once, as it stands among a stored message's headers. */
export const messageIdHeader = "nats-msg-id";

/** On a dead letter's way back: its number in the dead letters' stream. */
export const replayedLetterHeader = "weft-replay-letter";

export type Headers = Readonly<Record<string, string>>;

/** Without what the broker itself put there: that is the message's, not the event's. */
export function withoutBrokersOwn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("nats-")));
}

/** Percent-encodes what a header can't carry, as CloudEvents' HTTP binding has it (3.1.3.2). */
export function encodeHeader(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  return value.toWellFormed().replace(/[\u0000-\u0020"%\u007f-\uffff]+/g, encodeURIComponent);
}

/** Without U+0000 and lone surrogates, neither of which PostgreSQL's text and jsonb can hold. */
export function storableText(value: string): string {
  return value.toWellFormed().replaceAll("\0", "");
}

export function decodeHeader(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { currentCall } from "@weft/context";
import { currentFaults, currentTransaction, onCommit } from "@weft/store";
import { injectTrace } from "@weft/telemetry";
import { EventError } from "./event-error.ts";
import { encodeHeader, eventHeaders } from "./event-headers.ts";
import { createEventId } from "./event-id.ts";
import { type EventType, schemaHash } from "./event-type.ts";
import { insertIntoOutbox } from "./outbox-insert.ts";

/** Largest event, in bytes of its protobuf: leaves room for the headers below the broker's 1 MiB. */
export const maxEventBytes = 1_000_000;
const maxKeyLength = 512;
const maxCorrelationIdLength = 1_024;

export interface PublishOptions {
  /** Subscribers skip the event, and count it, once this time has passed. */
  readonly expiresAt?: Date;
}

export interface PublishedEvent {
  readonly id: string;
  readonly keySeq: bigint;
}

/**
 * Publishes an event with the change that it tells of: it is a row of the active transaction, and leaves when that
 * has committed, never otherwise. Events of one key leave in the order of their commits. Throws EventError outside of
 * `Store.transaction`, without a key, and above `maxEventBytes`.
 */
export async function publish<Desc extends DescMessage>(
  type: EventType<Desc>,
  event: MessageInitShape<Desc>,
  options: PublishOptions = {},
): Promise<PublishedEvent> {
  const tx = currentTransaction();
  if (!tx) {
    throw new EventError(
      "no-transaction",
      `${type.subject} was published outside of a transaction: publish it inside Store.transaction, together with the change that it tells of`,
    );
  }
  const message = create(type.schema, event);
  const key = keyOf(type, message);
  const data = toBinary(type.schema, message);
  if (data.length > maxEventBytes) {
    throw new EventError(
      "too-large",
      `${type.subject} has ${data.length} bytes and may have ${maxEventBytes}: publish a reference to the large part instead`,
    );
  }
  const now = new Date();
  const id = createEventId(now.getTime());
  const headers = describe(type, id, key, now, options);
  const keySeq = await insertIntoOutbox(tx, { id, stream: type.stream, subject: type.subject, key, headers, data });
  const faults = currentFaults();
  if (faults) {
    const event = { id, subject: type.subject };
    await faults("before-commit", event);
    onCommit(() => void faults("after-commit", event));
  }
  return { id, keySeq };
}

function keyOf(type: EventType, message: object): string {
  const value = (message as Record<string, unknown>)[type.key];
  const key = typeof value === "bigint" || typeof value === "number" ? String(value) : value;
  if (typeof key !== "string" || key === "") {
    throw new EventError("no-key", `${type.subject} has no ${type.key}: set it, since it orders the events`);
  }
  if (key.length > maxKeyLength) {
    throw new EventError("key-too-long", `${type.subject}: ${type.key} has more than ${maxKeyLength} characters`);
  }
  return key;
}

function describe(
  type: EventType,
  id: string,
  key: string,
  now: Date,
  options: PublishOptions,
): Record<string, string> {
  const correlationId = currentCall()?.correlationId ?? id;
  if (correlationId.length > maxCorrelationIdLength) {
    throw new EventError("header-too-long", `the correlation id has more than ${maxCorrelationIdLength} characters`);
  }
  const headers: Record<string, string> = {
    [eventHeaders.contentType]: "application/protobuf",
    [eventHeaders.specVersion]: "1.0",
    [eventHeaders.id]: id,
    [eventHeaders.type]: type.subject,
    [eventHeaders.time]: now.toISOString(),
    [eventHeaders.subject]: encodeHeader(key),
    [eventHeaders.key]: encodeHeader(key),
    [eventHeaders.correlationId]: encodeHeader(correlationId),
    [eventHeaders.schemaHash]: schemaHash(type.schema),
  };
  if (options.expiresAt) headers[eventHeaders.expiresAt] = options.expiresAt.toISOString();
  injectTrace((name, value) => {
    headers[name] = value;
  });
  return headers;
}

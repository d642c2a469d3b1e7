import { type QueryExecutorProvider, sql } from "kysely";
import {
  deadLetterHeaders,
  encodeHeader,
  eventHeaders,
  type Headers,
  storableText,
  withoutBrokersOwn,
} from "../event-headers.ts";
import { deriveEventId } from "../event-id.ts";
import { insertIntoOutbox } from "../outbox-insert.ts";
import { deadLetterStream, deadLetterSubject } from "../stream.ts";
import type { IncomingEvent } from "./incoming-event.ts";

export interface DeadLetter {
  readonly service: string;
  readonly consumer: string;
  readonly reason: "attempts" | "unprocessable" | "parked";
  /** Name and message, without a stack. */
  readonly error: string;
  readonly attempts: number;
  /** Whether the key's next events become dead letters too. */
  readonly park: boolean;
}

const maxErrorLength = 1_000;

/**
 * Writes a dead letter into the service's own outbox, in the transaction that settles the event in the inbox: there is
 * exactly one, and it survives whatever the broker forgets. Its headers are the event's, and what went wrong.
 */
export async function writeDeadLetter(
  tx: QueryExecutorProvider,
  event: IncomingEvent,
  letter: DeadLetter,
  at: Date,
): Promise<void> {
  const { service, consumer } = letter;
  const headers = storableHeaders(event.message.headers);
  await insertIntoOutbox(tx, {
    id: deriveEventId(`dead ${consumer} ${event.id}`),
    stream: deadLetterStream.name,
    subject: deadLetterSubject(service, event.subject),
    key: event.key,
    headers: {
      ...headers,
      // As the inbox has them, also where a foreign publisher gave none.
      [eventHeaders.id]: event.id,
      [eventHeaders.key]: encodeHeader(event.key),
      [deadLetterHeaders.reason]: letter.reason,
      [deadLetterHeaders.error]: encodeHeader(letter.error.slice(0, maxErrorLength)),
      [deadLetterHeaders.service]: encodeHeader(service),
      [deadLetterHeaders.subject]: event.subject,
      ...(headers[eventHeaders.source] !== undefined && { [deadLetterHeaders.source]: headers[eventHeaders.source] }),
      ...(headers[eventHeaders.keySeq] !== undefined && { [deadLetterHeaders.keySeq]: headers[eventHeaders.keySeq] }),
      [deadLetterHeaders.stream]: event.message.stream,
      [deadLetterHeaders.streamSequence]: String(event.message.sequence),
      [deadLetterHeaders.attempts]: String(letter.attempts),
      [deadLetterHeaders.at]: at.toISOString(),
    },
    data: event.message.data,
  });
  await sql`
    insert into weft.inbox_dead (consumer, event_id, key) values (${consumer}, ${event.id}::uuid, ${event.key})
    on conflict (consumer, event_id) do update set died_at = now(), revived_at = null`.execute(tx);
  await sql`
    delete from weft.inbox_failures where consumer = ${consumer} and event_id = ${event.id}::uuid`.execute(tx);
  if (letter.park) {
    await sql`
      update weft.inbox_positions set parked_by = coalesce(parked_by, ${event.id}::uuid)
      where consumer = ${consumer} and key = ${event.key}`.execute(tx);
  }
}

function storableHeaders(headers: Headers): Headers {
  const own = Object.entries(withoutBrokersOwn(headers));
  return Object.fromEntries(own.map((header) => header.map(storableText)));
}

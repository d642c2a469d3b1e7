import { randomUUID } from "node:crypto";
import type { Broker, StoredMessage } from "../broker.ts";
import {
  deadLetterHeaders,
  decodeHeader,
  eventHeaders,
  type Headers,
  replayedLetterHeader,
  withoutBrokersOwn,
} from "../event-headers.ts";
import { deadLetterStream, deadLetterSubject, replayStream, replaySubject } from "../stream.ts";

/** An event that a service gave up, as operators see it. */
export interface DeadLetter {
  /** Its number among the dead letters: what inspect, replay and drop take. */
  readonly sequence: bigint;
  /** The service that gave up. */
  readonly service: string;
  /** The event's full name. */
  readonly subject: string;
  readonly eventId: string;
  readonly key: string;
  readonly reason: string;
  /** Name and message of the last error. */
  readonly error: string;
  /** Failed runs of the handler. */
  readonly attempts: number;
  readonly diedAt: Date;
  /** The service that published the event. */
  readonly source: string;
  /** Where the event was. */
  readonly stream: string;
  readonly streamSequence: bigint;
}

export interface DeadLetterContents extends DeadLetter {
  /** All headers of the event and of the letter. */
  readonly headers: Headers;
  /** The event's bytes. */
  readonly data: Uint8Array;
}

export interface DeadLetterQuery {
  /** Those of one service; of all when absent. */
  readonly service?: string;
  /** Those of one event type, its full name; of all when absent. */
  readonly subject?: string;
  /** Only what comes after that number: the last one of the page before. */
  readonly after?: bigint;
  /** At most so many; default 100. */
  readonly limit?: number;
}

/** No dead letter has that number, or it was replayed or dropped. */
export class NoSuchDeadLetter extends Error {
  override readonly name = "NoSuchDeadLetter";

  constructor(sequence: bigint) {
    super(`there is no dead letter ${sequence}: it was replayed or dropped, or its time is over`);
  }
}

/** Dead letters, oldest first. A letter that the broker has twice, after it was put back to an older copy, is listed once. */
export async function listDeadLetters(
  { operations }: Broker,
  { service, subject, after = 0n, limit = 100 }: DeadLetterQuery = {},
): Promise<readonly DeadLetter[]> {
  const filter = deadLetterSubject(service ?? "*", subject ?? ">");
  const letters = new Map<string, DeadLetter>();
  for (let last = after; letters.size < limit; ) {
    const message = await operations.read(deadLetterStream.name, filter, last);
    if (!message) break;
    last = message.sequence;
    const letter = readLetter(message);
    const name = `${letter.service} ${letter.eventId}`;
    if (!letters.has(name)) letters.set(name, letter);
  }
  return [...letters.values()];
}

/** One dead letter with headers and bytes. Throws NoSuchDeadLetter. */
export async function inspectDeadLetter(broker: Broker, sequence: bigint): Promise<DeadLetterContents> {
  const message = await find(broker, sequence);
  return { ...readLetter(message), headers: message.headers, data: message.data };
}

/**
 * Sends a dead letter back to the service that gave it up, which handles the event by itself, in the order in which letters of its key are
 * sent back. Its effect happens once, however often it is sent; then the letter is gone. One that fails as often as an event may stays
 * where it is. Throws NoSuchDeadLetter.
 */
export async function replayDeadLetter(broker: Broker, sequence: bigint): Promise<DeadLetter> {
  const message = await find(broker, sequence);
  const letter = readLetter(message);
  const { [eventHeaders.source]: _, [eventHeaders.keySeq]: __, ...headers } = withoutBrokersOwn(message.headers);
  const { [deadLetterHeaders.source]: source, [deadLetterHeaders.keySeq]: keySeq } = message.headers;
  await broker.publish({
    stream: replayStream,
    subject: replaySubject(letter.service, letter.subject),
    id: randomUUID(),
    headers: {
      ...headers,
      ...(source !== undefined && { [eventHeaders.source]: source }),
      ...(keySeq !== undefined && { [eventHeaders.keySeq]: keySeq }),
      [replayedLetterHeader]: String(sequence),
    },
    data: message.data,
  });
  return letter;
}

/** Sends all dead letters of a query back, oldest first; resolves with how many. */
export async function replayDeadLetters(broker: Broker, query: Omit<DeadLetterQuery, "limit">): Promise<number> {
  let sent = 0;
  for (let { after = 0n } = query; ; ) {
    const letters = await listDeadLetters(broker, { ...query, after });
    for (const { sequence } of letters) if (await isSent(broker, sequence)) sent += 1;
    const last = letters.at(-1);
    if (!last) return sent;
    after = last.sequence;
  }
}

/** False for one that somebody else has replayed or dropped meanwhile. */
async function isSent(broker: Broker, sequence: bigint): Promise<boolean> {
  try {
    await replayDeadLetter(broker, sequence);
    return true;
  } catch (error) {
    if (error instanceof NoSuchDeadLetter) return false;
    throw error;
  }
}

/**
 * Forgets a dead letter: its event will never have an effect at that service. A key that it has parked stays so until `unpark`. Throws
 * NoSuchDeadLetter.
 */
export async function dropDeadLetter(broker: Broker, sequence: bigint): Promise<void> {
  if (!(await broker.operations.delete(deadLetterStream.name, sequence))) throw new NoSuchDeadLetter(sequence);
}

async function find({ operations }: Broker, sequence: bigint): Promise<StoredMessage> {
  const message = await operations.get(deadLetterStream.name, sequence);
  if (!message) throw new NoSuchDeadLetter(sequence);
  return message;
}

function readLetter({ headers, sequence, storedAt }: StoredMessage): DeadLetter {
  const text = (name: string): string => decodeHeader(headers[name] ?? "");
  const at = new Date(text(deadLetterHeaders.at));
  return {
    sequence,
    service: text(deadLetterHeaders.service),
    subject: text(deadLetterHeaders.subject),
    eventId: text(eventHeaders.id),
    key: text(eventHeaders.key),
    reason: text(deadLetterHeaders.reason),
    error: text(deadLetterHeaders.error),
    attempts: Number(text(deadLetterHeaders.attempts)) || 0,
    diedAt: Number.isNaN(at.getTime()) ? storedAt : at,
    source: text(deadLetterHeaders.source).replace(/^\//, ""),
    stream: text(deadLetterHeaders.stream),
    streamSequence: BigInt(/^\d{1,18}$/.exec(text(deadLetterHeaders.streamSequence))?.[0] ?? 0),
  };
}

import {
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiError,
  type NextMsgRequest,
  type SeqMsgRequest,
  type StoredMsg,
} from "@nats-io/jetstream";
import { type BrokerOperations, BrokerUnavailable, NoSuchConsumer, type StoredMessage } from "../broker.ts";
import type { Connection } from "./connection.ts";
import { nameAtBroker } from "./consumers.ts";
import { readHeaders } from "./message-headers.ts";
import type { Pauses } from "./pauses.ts";
import { findStream } from "./streams.ts";

const notFound = 404;
const alreadyExists = 400;
const resets = 10;

/** What operators ask of NATS. */
export function createOperations(connection: Connection, pauses: Pauses): BrokerOperations {
  const manager = () => connection.session().manager;

  async function find(stream: string, consumer: string): Promise<ConsumerInfo | undefined> {
    const info = await findStream(manager(), stream);
    return info && manager().consumers.info(stream, nameAtBroker(consumer, info)).catch(ifMissing(undefined));
  }

  /** A stream that is being created is not asked for a message (see `findStream`). */
  async function mayHold(stream: string, sequence: number): Promise<boolean> {
    const info = await findStream(manager(), stream);
    return info !== undefined && info.state.last_seq >= sequence;
  }

  async function getMessage(stream: string, query: SeqMsgRequest): Promise<StoredMessage | undefined> {
    if (!(await mayHold(stream, query.seq))) return undefined;
    const found = await manager().streams.getMessage(stream, query).catch(ifMissing(null));
    return found ? stored(stream, found) : undefined;
  }

  async function recreate(stream: string, config: ConsumerConfig): Promise<void> {
    for (let tries = 1; ; tries++) {
      await manager()
        .consumers.delete(stream, config.durable_name ?? config.name ?? "")
        .catch(ifMissing(false));
      try {
        await manager().consumers.add(stream, config);
        return;
      } catch (error) {
        // An instance that had not heard of the pause has made it anew, where it began at first.
        if (tries === resets || !hasStatus(error, alreadyExists)) throw error;
      }
    }
  }

  return {
    read: (stream, subject, after) =>
      asking(async () => {
        const query: SeqMsgRequest & NextMsgRequest = { seq: Number(after) + 1, next_by_subj: subject };
        return getMessage(stream, query);
      }),
    get: (stream, sequence) => asking(() => getMessage(stream, { seq: Number(sequence) })),
    delete: (stream, sequence) =>
      asking(async () => {
        if (!(await mayHold(stream, Number(sequence)))) return false;
        try {
          return await manager().streams.deleteMessage(stream, Number(sequence));
        } catch (error) {
          // The server says so of a message that is gone, and of a stream that is.
          if (error instanceof JetStreamApiError && error.status < 500) return false;
          throw error;
        }
      }),
    consumer: (stream, consumer) =>
      asking(async () => {
        const info = await find(stream, consumer);
        if (!info) return undefined;
        const paused = await pauses.isPaused(stream, consumer);
        return { pending: info.num_pending, unanswered: info.num_ack_pending, paused };
      }),
    setPaused: (stream, consumer, paused) => asking(() => pauses.set(stream, consumer, paused)),
    startFrom: (stream, consumer, from) =>
      asking(async () => {
        const info = await find(stream, consumer);
        if (!info) throw new NoSuchConsumer(stream, consumer);
        const { opt_start_seq: _, opt_start_time: __, deliver_policy: ___, ...config } = info.config;
        const wasPaused = await pauses.isPaused(stream, consumer);
        // So that no instance makes it anew meanwhile.
        await pauses.set(stream, consumer, true);
        try {
          await recreate(stream, {
            ...config,
            ...(from instanceof Date
              ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.toISOString() }
              : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, Number(from)) }),
          });
        } finally {
          if (!wasPaused) await pauses.set(stream, consumer, false);
        }
      }),
  };
}

function stored(stream: string, message: StoredMsg): StoredMessage {
  return {
    stream,
    subject: message.subject,
    headers: readHeaders(message.header),
    data: message.data,
    sequence: BigInt(message.seq),
    storedAt: message.time,
  };
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof JetStreamApiError && error.status === status;
}

/** Answers with `value` when there is no such thing. */
function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (hasStatus(error, notFound)) return value;
    throw error;
  };
}

/** What NATS refused is thrown as it is; that it can't be asked is BrokerUnavailable. */
async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NoSuchConsumer || error instanceof BrokerUnavailable) throw error;
    if (error instanceof JetStreamApiError && error.status < 500) throw error;
    throw new BrokerUnavailable("NATS gave no answer", { cause: error });
  }
}

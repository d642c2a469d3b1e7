import { JetStreamApiError } from "@nats-io/jetstream";
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { createGatherer } from "./gather.ts";
import { asWritten } from "./message-headers.ts";

export interface Acknowledgement {
  readonly sequence: bigint;
  /** The stream had the event's id already. */
  readonly duplicate: boolean;
}

/** Publishes with many events under way: what each of them costs besides its bytes is an entry in a map. */
export interface Publisher {
  /** `headers` as they stand in the message. Rejects with JetStreamApiError when the stream refuses, and with another error when no answer comes. */
  publish(subject: string, data: Uint8Array, headers: string): Promise<Acknowledgement>;
  /** Gives up all that is under way: their answers were lost with the connection. */
  abandon(reason: Error): void;
  close(): void;
}

interface UnderWay {
  readonly deadline: number;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: Error) => void;
}

const noResponders = 503;

/** As with Nagle's algorithm (RFC 896), an event waits for company only while enough others are on their way that nobody is kept waiting. */
const manyUnderWay = 32;

/** `timeoutMs` is the longest wait for an answer; `now` a monotonic clock in milliseconds. */
export function createPublisher(
  connection: NatsConnection,
  timeoutMs: number,
  now: () => number = () => performance.now(),
): Publisher {
  const inbox = createInbox();
  // In the order of their deadlines, since all wait equally long.
  const underWay = new Map<string, UnderWay>();
  const gatherer = createGatherer({ waitMs: 1, most: 64, urgent: () => underWay.size <= manyUnderWay });
  let published = 0;
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (!error) settle(message);
    },
  });
  const expiry = setInterval(expire, timeoutMs / 8);
  expiry.unref();

  function settle(message: Msg): void {
    const token = message.subject.slice(inbox.length + 1);
    const waiting = underWay.get(token);
    if (!waiting || !underWay.delete(token)) return;
    try {
      waiting.resolve(readAnswer(message));
    } catch (error) {
      waiting.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  function expire(): void {
    for (const [token, { deadline, reject }] of underWay) {
      if (deadline > now()) return;
      underWay.delete(token);
      reject(new Error(`NATS gave no answer within ${timeoutMs} ms`));
    }
  }

  function abandon(reason: Error): void {
    const abandoned = [...underWay.values()];
    underWay.clear();
    for (const { reject } of abandoned) reject(reason);
  }

  return {
    publish(subject, data, headers) {
      return new Promise((resolve, reject) => {
        const token = (++published).toString(36);
        underWay.set(token, { deadline: now() + timeoutMs, resolve, reject });
        gatherer.add(() => {
          // Given up meanwhile: the client would keep it for its next connection.
          if (!underWay.has(token)) return;
          try {
            connection.publish(subject, data, { headers: asWritten(headers), reply: `${inbox}.${token}` });
          } catch (error) {
            underWay.delete(token);
            reject(error);
          }
        });
      });
    },
    abandon,
    close() {
      clearInterval(expiry);
      subscription.unsubscribe();
      abandon(new Error("the connection to NATS is closed"));
    },
  };
}

function readAnswer(message: Msg): Acknowledgement {
  if (message.headers?.code === noResponders) throw new Error("no stream takes the event now");
  const answer = message.json<{
    readonly seq?: number;
    readonly duplicate?: boolean;
    readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
  }>();
  if (answer.error) throw new JetStreamApiError(answer.error);
  if (answer.seq === undefined) throw new Error("NATS gave an answer that is none");
  return { sequence: BigInt(answer.seq), duplicate: answer.duplicate === true };
}

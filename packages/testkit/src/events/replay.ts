import { type Broker, createMemoryBroker, type IncomingMessage, type Subscription, streamOf } from "@weft/events";
import { startSubscriber } from "@weft/events/inbox";
import type { Store } from "@weft/store";
import { bytesOf, idOf, type RecordedEvent } from "./history.ts";

export interface ReplayOptions<DB> {
  /** Names the consumers in the inbox. */
  readonly service: string;
  readonly store: Store<DB>;
  readonly subscriptions: readonly Subscription[];
  /** Failed runs of a handler after which its event becomes a dead letter; default 3. */
  readonly maxDeliver?: number;
}

export interface Replay {
  /**
   * Delivers a recorded event to the service's subscriber, and resolves once it is settled: its effect committed, or its dead
   * letter. `deliveries` are those that came to nothing before. Resolves at once for a stream that nobody subscribes to.
   */
  deliver(event: RecordedEvent, deliveries?: number): Promise<void>;
  close(): Promise<void>;
}

const patienceMs = 5_000;

/** Runs a service's subscriptions as runService does, inbox and database included, over a broker in memory that recorded events are put on. */
export function startReplay<DB>(options: ReplayOptions<DB>): Replay {
  const { service, store, subscriptions, maxDeliver = 3 } = options;
  const streams = new Set(subscriptions.map(({ type }) => type.stream));
  // No duplicate window: what is delivered again is for the inbox to see.
  const memory = createMemoryBroker({ duplicateWindowMs: 0 });
  // By the very bytes that were published, which the broker hands on as they are.
  const underWay = new Map<Uint8Array, { readonly deliveries: number; readonly settled: () => void }>();

  const watched = (message: IncomingMessage): IncomingMessage => {
    const published = underWay.get(message.data);
    return {
      ...message,
      deliveryCount: message.deliveryCount + (published?.deliveries ?? 0),
      ack() {
        message.ack();
        published?.settled();
      },
    };
  };
  const broker: Broker = {
    ...memory,
    consume: (consumer) =>
      memory.consume({ ...consumer, onMessage: (message) => consumer.onMessage(watched(message)) }),
  };
  const subscriber = startSubscriber({
    ...{ service, store, broker, subscriptions, maxDeliver },
    backoff: { baseMs: 10, maxMs: 100 },
  });

  return {
    async deliver(event, deliveries = 0) {
      if (!streams.has(event.stream)) return;
      const { subject, headers } = event;
      const settled = Promise.withResolvers<void>();
      const late = setTimeout(
        () => settled.reject(new Error(`${subject} ${idOf(event)} was not settled within ${patienceMs} ms`)),
        patienceMs,
      );
      const data = bytesOf(event);
      underWay.set(data, { deliveries, settled: settled.resolve });
      try {
        await memory.publish({ stream: streamOf(event.stream, subject), subject, headers, id: idOf(event), data });
        await settled.promise;
      } finally {
        clearTimeout(late);
        underWay.delete(data);
      }
    },
    async close() {
      await subscriber.close();
      await broker.close();
    },
  };
}

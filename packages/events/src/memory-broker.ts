import { type Broker, BrokerUnavailable, type Consumption, type StoredMessage, type StreamState } from "./broker.ts";
import { messageIdHeader } from "./event-headers.ts";
import { createMemoryConsumer } from "./memory-consumer.ts";
import { createMemoryOperations } from "./memory-operations.ts";
import type { MemoryStream } from "./memory-stream.ts";

export interface MemoryBrokerOptions {
  /** Milliseconds in which an id is kept once; default 120,000. */
  readonly duplicateWindowMs?: number;
  /** Wall clock, in milliseconds. */
  readonly now?: () => number;
}

/** A broker within one process, for tests and simulations. What it holds ends with it. */
export interface MemoryBroker extends Broker {
  /** Loses every message under way and refuses new ones, until `restore`; what was kept stays kept. */
  interrupt(): void;
  restore(): void;
  /** What a stream holds, oldest first. */
  messages(stream: string): readonly StoredMessage[];
}

export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const { duplicateWindowMs = 120_000, now = Date.now } = options;
  const streams = new Map<string, MemoryStream>();
  const waiting = new Set<() => void>();
  let available = true;

  function assertAvailable(): void {
    if (!available) throw new BrokerUnavailable("the broker is away");
  }

  function streamNamed(name: string): MemoryStream {
    let stream = streams.get(name);
    if (!stream) {
      stream = {
        created: new Date(now()).toISOString(),
        messages: [],
        lastSequence: 0n,
        consumers: new Map(),
        recent: new Map(),
      };
      streams.set(name, stream);
    }
    return stream;
  }

  function forgetOld(stream: MemoryStream): void {
    for (const [id, message] of stream.recent) {
      if (message.storedAt.getTime() > now() - duplicateWindowMs) return;
      stream.recent.delete(id);
    }
  }

  return {
    async publish(message) {
      assertAvailable();
      if (message.toExisting && !streams.has(message.stream.name)) throw new BrokerUnavailable("the stream is missing");
      const stream = streamNamed(message.stream.name);
      forgetOld(stream);
      const known = stream.recent.get(message.id);
      if (known) return { sequence: known.sequence, duplicate: true };
      stream.lastSequence += 1n;
      const { lastSequence: sequence } = stream;
      const { subject, data } = message;
      const headers = { ...message.headers, [messageIdHeader]: message.id };
      const stored = { stream: message.stream.name, subject, headers, data, sequence, storedAt: new Date(now()) };
      stream.messages.push(stored);
      stream.recent.set(message.id, stored);
      for (const consumer of stream.consumers.values()) consumer.offer(stored);
      return { sequence, duplicate: false };
    },
    async streamState({ name }) {
      assertAvailable();
      return stateOf(streamNamed(name));
    },
    async existingState({ name }) {
      assertAvailable();
      const stream = streams.get(name);
      return stream && stateOf(stream);
    },
    consume(options): Consumption {
      const stream = streamNamed(options.stream.name);
      let consumer = stream.consumers.get(options.consumer);
      if (!consumer) {
        consumer = createMemoryConsumer(options, () => available);
        stream.consumers.set(options.consumer, consumer);
        for (const message of stream.messages) {
          if (options.start === "beginning" || message.storedAt >= options.start) consumer.offer(message);
        }
      }
      return consumer.attach(options.onMessage, options.prefetch);
    },
    onAvailable(callback) {
      waiting.add(callback);
      if (available) callback();
      return () => void waiting.delete(callback);
    },
    operations: createMemoryOperations(streams, assertAvailable),
    interrupt() {
      available = false;
      for (const stream of streams.values()) for (const consumer of stream.consumers.values()) consumer.interrupt();
    },
    restore() {
      available = true;
      for (const stream of streams.values()) for (const consumer of stream.consumers.values()) consumer.deliver();
      for (const callback of waiting) callback();
    },
    messages: (stream) => streams.get(stream)?.messages ?? [],
    async close() {
      available = false;
      for (const stream of streams.values()) for (const consumer of stream.consumers.values()) consumer.close();
    },
  };
}

function stateOf({ created, lastSequence }: MemoryStream): StreamState {
  return { created, lastSequence };
}

import { JetStreamApiError, type JetStreamClient, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { eventHeaders } from "@weft/events";
import { inLanes } from "../../in-lanes.ts";
import { until } from "../../until.ts";
import type { Ground } from "../runner/row.ts";
import { Granted, sinkName } from "./granted.ts";

/** The drill's stream as an operator sees it, past everything of ours. */
export interface DrillStream {
  /** Whether the sink has been given, and has answered, everything in the stream; false while NATS is away. */
  idle(): Promise<boolean>;
  /** How many events a stream has, the drill's by default; waits for NATS when it is away. */
  count(stream?: string): Promise<number>;
  /**
   * Publishes events that are in the stream again, as they are but under new message ids, so that the broker takes each for a
   * new one. One after the other from the oldest, over and over. Resolves when the broker has so many.
   */
  redeliver(events: number): Promise<void>;
  /** In milliseconds: the longest time in which the stream got nothing, and the longest way of an event into it. */
  delays(): Promise<{ readonly longestGap: number; readonly longestWait: number }>;
  /** Name of the server that leads it, in a cluster. */
  leader(): Promise<string | undefined>;
  /** Deletes the stream with all its consumers. */
  delete(): Promise<void>;
}

/** Connects, and connects again for as long as the row goes on. */
export async function openStream(ground: Ground, url: string): Promise<DrillStream> {
  const connection = await connect({ servers: url.split(","), maxReconnectAttempts: -1, reconnectTimeWait: 250 });
  ground.atEnd(() => connection.close());
  const client = jetstream(connection, { timeout: 30_000 });
  const manager = await jetstreamManager(connection, { timeout: 3_000, checkAPI: false });
  const stream: DrillStream = {
    async idle() {
      try {
        const all = await manager.consumers.list(Granted.stream).next();
        const own = all.filter(({ name }) => name.startsWith(`${sinkName}_`));
        const idle = own.filter(({ num_pending, num_ack_pending }) => num_pending === 0 && num_ack_pending === 0);
        return own.length > 0 && idle.length === own.length;
      } catch {
        return false;
      }
    },
    async count(name = Granted.stream) {
      const ask = async () => (await manager.streams.info(name).catch(unlessMissing))?.state.messages;
      return until(`an answer about ${name}`, ask, 20_000);
    },
    async redeliver(events) {
      const old = await readAll(client, await stream.count());
      const copies = Array.from({ length: events }, (_, i) => old[i % old.length] as JsMsg);
      await inLanes(copies, 256, async (message) => {
        ground.signal.throwIfAborted();
        await republish(client, message);
      });
    },
    async delays() {
      const messages = await readAll(client, await stream.count());
      const times = messages.map(({ timestampNanos }) => Number(timestampNanos / 1_000_000n));
      const waits = messages.map(
        ({ headers }, i) => (times[i] ?? 0) - Date.parse(headers?.get(eventHeaders.time) ?? ""),
      );
      const gaps = times.map((time, i) => time - (times[i - 1] ?? time));
      return { longestGap: Math.max(...gaps), longestWait: Math.max(...waits) };
    },
    async leader() {
      return (await manager.streams.info(Granted.stream)).cluster?.leader;
    },
    async delete() {
      await manager.streams.delete(Granted.stream);
    },
  };
  return stream;
}

/** NATS that is away is asked again; a stream that isn't there has nothing. */
function unlessMissing(error: unknown): { readonly state: { readonly messages: number } } | undefined {
  return error instanceof JetStreamApiError && error.status === 404 ? { state: { messages: 0 } } : undefined;
}

async function readAll(client: JetStreamClient, count: number): Promise<readonly JsMsg[]> {
  const consumer = await client.consumers.get(Granted.stream);
  const read: JsMsg[] = [];
  for await (const message of await consumer.consume()) {
    read.push(message);
    if (read.length >= count) break;
  }
  return read;
}

async function republish(client: JetStreamClient, message: JsMsg): Promise<void> {
  const copy = headers();
  for (const [name, values] of message.headers ?? []) {
    if (name.toLowerCase() !== "nats-msg-id") for (const value of values) copy.append(name, value);
  }
  await client.publish(message.subject, message.data, { msgID: crypto.randomUUID(), headers: copy });
}

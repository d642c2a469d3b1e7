import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Ground } from "../runner/row.ts";
import { Granted, sinkName } from "./granted.ts";

/** The drill's stream as an operator sees it, past everything of ours. */
export interface DrillStream {
  /** Whether the sink has been given, and has answered, everything in the stream; false while NATS is away. */
  idle(): Promise<boolean>;
  /** Deletes the stream with all its consumers. */
  delete(): Promise<void>;
  readonly connection: NatsConnection;
}

/** Connects, and connects again for as long as the row goes on. */
export async function openStream(ground: Ground, url: string): Promise<DrillStream> {
  const connection = await connect({ servers: url.split(","), maxReconnectAttempts: -1, reconnectTimeWait: 250 });
  ground.atEnd(() => connection.close());
  const manager = await jetstreamManager(connection, { timeout: 3_000, checkAPI: false });
  return {
    connection,
    async idle() {
      try {
        const { num_pending, num_ack_pending } = await manager.consumers.info(Granted.stream, sinkName);
        return num_pending === 0 && num_ack_pending === 0;
      } catch {
        return false;
      }
    },
    async delete() {
      await manager.streams.delete(Granted.stream);
    },
  };
}

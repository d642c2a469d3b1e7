import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const looks = 3;

/** Resolves when no consumer has anything left to do, several times in a row: between two looks an event may still be in an outbox. */
export async function settled(natsUrl: string): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    for (let quiet = 0; quiet < looks; ) {
      let owed = 0;
      for await (const { config } of manager.streams.list()) {
        for await (const consumer of manager.consumers.list(config.name)) {
          owed += consumer.num_pending + consumer.num_ack_pending;
        }
      }
      quiet = owed === 0 ? quiet + 1 : 0;
      await sleep(50);
    }
  } finally {
    await connection.close();
  }
}

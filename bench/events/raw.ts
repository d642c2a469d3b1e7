import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers as createHeaders } from "@nats-io/transport-node";
import type { Answer } from "./task.ts";
import type { Servers } from "./world.ts";

const stream = "RAW";
const data = new Uint8Array(118);

/** As many and as long as those of an event of the outbox. */
function headersOf(n: number) {
  const headers = createHeaders();
  const uuid = "00000000-0000-4000-8000-000000000001";
  const fields = {
    "content-type": "application/protobuf",
    "ce-specversion": "1.0",
    "ce-id": uuid,
    "ce-type": "shop.order.v1.OrderStatusChanged",
    "ce-time": "2026-01-01T00:00:00.000Z",
    "ce-subject": uuid,
    "ce-partitionkey": uuid,
    "ce-source": "/bench",
    "ce-sequence": String(n),
    "x-correlation-id": uuid,
    "weft-schema-hash": "0123456789abcdef",
  };
  for (const [name, value] of Object.entries(fields)) headers.append(name, value);
  return headers;
}

/** JetStream's own client, as its documentation has it: publish with so many unacknowledged at once. */
export async function rawPublish({ natsUrl }: Servers, count: number, warmUp: number, window: number): Promise<Answer> {
  const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
  const client = jetstream(connection, { timeout: 10_000 });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.streams.add({ name: stream, subjects: ["raw.>"] });
  let startedAt = performance.now();
  let next = 0;
  let done = 0;
  const publishAll = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      await client.publish("raw.events", data, { msgID: `raw-${n}`, headers: headersOf(n) });
      if (++done === warmUp) startedAt = performance.now();
    }
  };
  await Promise.all(Array.from({ length: window }, publishAll));
  const rate = (count - warmUp) / ((performance.now() - startedAt) / 1_000);
  const { state } = await manager.streams.info(stream);
  await connection.close();
  return { rate, errors: Math.abs(count - state.messages) };
}

/** Consumes and acknowledges, without any effect. */
export async function rawConsume({ natsUrl }: Servers, count: number, warmUp: number): Promise<Answer> {
  const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.consumers.add(stream, {
    durable_name: "raw",
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 10_000,
  });
  const consumer = await jetstream(connection).consumers.get(stream, "raw");
  let startedAt = performance.now();
  const messages = await consumer.consume({ max_messages: 1_000 });
  let seen = 0;
  for await (const message of messages) {
    message.ack();
    if (++seen === warmUp) startedAt = performance.now();
    if (seen === count) break;
  }
  await connection.flush();
  const rate = (count - warmUp) / ((performance.now() - startedAt) / 1_000);
  await connection.close();
  return { rate, errors: 0 };
}

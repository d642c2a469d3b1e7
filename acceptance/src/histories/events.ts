import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry, type DescFile, fromBinary, toJson } from "@bufbuild/protobuf";
import { StockReservedSchema } from "@shop/contracts/inventory";
import { OrderCreatedSchema } from "@shop/contracts/order";
import { PaymentCompletedSchema } from "@shop/contracts/payment";
import { UserCreatedSchema } from "@shop/contracts/user";
import { type Broker, type IncomingMessage, streamOf } from "@weft/events";
import type { RecordedEvent } from "@weft/testkit";

/** One event of each contract that has events. */
const examples = [UserCreatedSchema, StockReservedSchema, OrderCreatedSchema, PaymentCompletedSchema];
const contracts: readonly DescFile[] = examples.map(({ file }) => file);
/** What every event's type can be found in. */
export const eventRegistry = createRegistry(...contracts);

/** Reads all streams of the shop, one after the other piece of them. */
export interface EventReader {
  /** The events that came since the last call, once none has come for a while; in the order in which the streams got them. */
  next(): Promise<readonly RecordedEvent[]>;
  close(): Promise<void>;
}

const quietMs = 2_500;

export function readEvents(broker: Broker): EventReader {
  let fresh: IncomingMessage[] = [];
  let lastAt = performance.now();
  const consumptions = examples.map(({ typeName }) =>
    broker.consume({
      stream: streamOf(typeName.slice(0, typeName.lastIndexOf(".")).toUpperCase().replaceAll(".", "_"), typeName),
      consumer: "history_reader",
      start: "beginning",
      ackWaitMs: 30_000,
      maxAckPending: 1_000,
      prefetch: 100,
      onMessage(message) {
        fresh.push(message);
        lastAt = performance.now();
        message.ack();
      },
    }),
  );
  return {
    async next() {
      lastAt = performance.now();
      while (performance.now() - lastAt < quietMs) await sleep(50);
      const messages = fresh.toSorted((a, b) => a.storedAt.getTime() - b.storedAt.getTime());
      fresh = [];
      return messages.map(toRecord);
    },
    async close() {
      await Promise.all(consumptions.map((consumption) => consumption.stop()));
    },
  };
}

function toRecord({ stream, sequence, subject, storedAt, headers, data }: IncomingMessage): RecordedEvent {
  const schema = eventRegistry.getMessage(subject);
  if (!schema) throw new Error(`no contract has ${subject}`);
  return {
    stream,
    sequence: Number(sequence),
    subject,
    storedAt: storedAt.toISOString(),
    headers: { ...headers },
    data: Buffer.from(data).toString("base64"),
    message: toJson(schema, fromBinary(schema, data), { registry: eventRegistry }),
  };
}

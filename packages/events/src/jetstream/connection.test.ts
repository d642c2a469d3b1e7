import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Broker, IncomingMessage } from "../broker.ts";
import { BrokerUnavailable } from "../broker.ts";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { createJetStreamBroker } from "./broker.ts";

let server: TestNatsServer;
let broker: Broker;
beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(async () => {
  await broker.close();
  await server.close();
});

const stream = { name: "TEST_A_V1", subjects: ["test.a.v1.>"] };
const publish = (id: string) =>
  broker.publish({ stream, subject: "test.a.v1.Thing", id, headers: {}, data: new Uint8Array() });
const available = () => new Promise<void>((resolve) => void broker.onAvailable(resolve));
const consume = (received: IncomingMessage[]) =>
  broker.consume({
    stream,
    consumer: "c",
    start: "beginning",
    ackWaitMs: 1_000,
    maxAckPending: 100,
    prefetch: 10,
    onMessage(message) {
      received.push(message);
      message.ack();
    },
  });

describe("the JetStream broker", () => {
  it("starts while NATS is away, says so, and works once it is there", async () => {
    await server.kill();
    broker = createJetStreamBroker({ url: server.url, name: "test" });
    const received: IncomingMessage[] = [];
    const consumption = consume(received);
    await expect(publish("1")).rejects.toBeInstanceOf(BrokerUnavailable);
    await server.start();
    await available();
    expect(await publish("1")).toEqual({ sequence: 1n, duplicate: false });
    expect(await publish("1")).toEqual({ sequence: 1n, duplicate: true });
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
    await consumption.stop();
  });

  it("closes while NATS is away", async () => {
    await server.kill();
    broker = createJetStreamBroker({ url: server.url, name: "test" });
    const consumption = consume([]);
    await consumption.stop();
    await broker.close();
  });

  it("doesn't take an event's predecessors for settled while it can't ask", async () => {
    broker = createJetStreamBroker({ url: server.url, name: "test" });
    await available();
    const received: IncomingMessage[] = [];
    const consumption = consume(received);
    await publish("1");
    await expect.poll(() => received.length).toBe(1);
    expect(await received[0]?.predecessorsSettled()).toBe(true);
    await server.kill();
    expect(await received[0]?.predecessorsSettled()).toBe(false);
    await consumption.stop();
  });

  it("makes a stream again that somebody deleted, and its consumer", async () => {
    broker = createJetStreamBroker({ url: server.url, name: "test" });
    await available();
    const received: IncomingMessage[] = [];
    const consumption = consume(received);
    await publish("1");
    await expect.poll(() => received.length).toBe(1);
    const operator = await connect({ servers: server.url });
    await (await jetstreamManager(operator)).streams.delete(stream.name);
    await operator.close();
    await expect.poll(() => publish("2").then(() => "kept", String), { timeout: 10_000 }).toBe("kept");
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(2);
    await consumption.stop();
  });
});

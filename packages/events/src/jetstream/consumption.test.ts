import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Broker, Consumption, IncomingMessage } from "../broker.ts";
import type { StreamSpec } from "../stream.ts";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { createJetStreamBroker } from "./broker.ts";

const patience = { timeout: 15_000, interval: 20 };
const stream: StreamSpec = { name: "S", subjects: ["s.v1.>"] };

let server: TestNatsServer;
let broker: Broker;
beforeEach(async () => {
  server = await startNatsServer();
  broker = createJetStreamBroker({ url: server.url, name: "consumption" });
  await new Promise<void>((resolve) => broker.onAvailable(resolve));
});
afterEach(async () => {
  await broker.close();
  await server.close();
});

const publish = (id: string) =>
  expect
    .poll(
      () =>
        broker.publish({ stream, subject: "s.v1.Thing", id, headers: { id }, data: new Uint8Array() }).then(
          () => true,
          () => false,
        ),
      patience,
    )
    .toBe(true);

/** Everything that the consumer was given, unanswered. */
function consume(): { readonly given: IncomingMessage[]; readonly consumption: Consumption } {
  const given: IncomingMessage[] = [];
  const consumption = broker.consume({
    ...{ stream, consumer: "c", start: "beginning", ackWaitMs: 20_000, maxAckPending: 100, prefetch: 10 },
    onMessage: (message) => void given.push(message),
  });
  return { given, consumption };
}

const ids = (given: readonly IncomingMessage[]): readonly unknown[] => given.map(({ headers }) => headers.id);

async function deleteStream(): Promise<void> {
  const operator = await connect({ servers: server.url });
  await (await jetstreamManager(operator)).streams.delete(stream.name);
  await operator.close();
}

describe("an answer to a message of a stream that is no more", () => {
  it("is none to the message that has its number in the next stream of the name", async () => {
    const { given, consumption } = consume();
    await publish("old");
    await expect.poll(() => ids(given), patience).toEqual(["old"]);
    await deleteStream();
    await publish("new");
    await expect.poll(() => ids(given), patience).toEqual(["old", "new"]);
    expect(given.map(({ sequence }) => sequence)).toEqual([1n, 1n]);
    given[0]?.ack();
    await publish("newer");
    await expect.poll(() => ids(given), patience).toEqual(["old", "new", "newer"]);
    expect(await given[2]?.predecessorsSettled()).toBe(false);
    given[1]?.nak(0);
    await expect.poll(() => ids(given), patience).toEqual(["old", "new", "newer", "new"]);
    await consumption.stop();
  });

  it("is none to the message that has its number in a stream that was rolled back", { timeout: 30_000 }, async () => {
    const { given, consumption } = consume();
    await publish("first");
    await expect.poll(() => ids(given), patience).toEqual(["first"]);
    given[0]?.ack();
    await expect.poll(() => consumption.pending(), patience).toBe(0);
    await server.kill();
    await server.backUp();
    await server.start();
    await publish("old");
    await expect.poll(() => ids(given).includes("old"), patience).toBe(true);
    const old = given.find(({ headers }) => headers.id === "old");
    await server.kill();
    await server.rollBack();
    await server.start();
    await publish("new");
    await expect.poll(() => ids(given).includes("new"), patience).toBe(true);
    const fresh = given.find(({ headers }) => headers.id === "new");
    expect(fresh?.sequence).toBe(old?.sequence);
    old?.ack();
    await publish("newer");
    await expect.poll(() => ids(given).includes("newer"), patience).toBe(true);
    expect(await old?.predecessorsSettled()).toBe(false);
    const before = given.length;
    fresh?.nak(0);
    await expect.poll(() => ids(given).slice(before), patience).toEqual(["new"]);
    await consumption.stop();
  });
});

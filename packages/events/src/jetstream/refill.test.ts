import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorld, type World } from "../conformance/world.ts";
import { eventHeaders, messageIdHeader } from "../event-headers.ts";
import { dropDeadLetter } from "../operations/index.ts";
import { deadLetterStream, deadLetterSubject } from "../stream.ts";
import { Unprocessable } from "../subscribe.ts";
import { createTestDatabase } from "../testing/database.ts";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { createJetStreamBroker } from "./broker.ts";

const patience = { timeout: 15_000, interval: 20 };

let server: TestNatsServer;
let world: World;
beforeEach(async () => {
  server = await startNatsServer();
  const database = await createTestDatabase();
  world = await createWorld({
    connect: () => createJetStreamBroker({ url: server.url, name: "refill" }),
    databaseUrl: database.url,
    interrupt: () => server.kill(),
    restore: () => server.start(),
    close: () => database.drop(),
  });
});
afterEach(async () => {
  await world.close();
  await server.close();
});

const texts = async (): Promise<string[]> => (await world.effects()).map(({ text }) => text);
const publish = async (...numbers: number[]): Promise<void> => {
  for (const n of numbers) await world.publish("k", String(n));
};
const waiting = async (): Promise<number> => {
  const { rows } = await sql`select from weft.outbox_pending`.execute(world.store.db);
  return rows.length;
};
const relayed = (): Promise<void> => expect.poll(waiting, patience).toBe(0);

/** The numbers of each key's events that the stream holds, oldest first. */
async function inStream(): Promise<Record<string, number[]>> {
  const { stream, subject } = world.type;
  const numbers: Record<string, number[]> = {};
  for (let after = 0n; ; ) {
    const message = await world.broker.operations.read(stream, subject, after);
    if (!message) return numbers;
    const { [eventHeaders.key]: key = "", [eventHeaders.keySeq]: keySeq } = message.headers;
    numbers[key] = [...(numbers[key] ?? []), Number(keySeq)];
    after = message.sequence;
  }
}

async function deleteStream(): Promise<void> {
  const operator = await connect({ servers: server.url });
  await (await jetstreamManager(operator)).streams.delete(world.type.stream);
  await operator.close();
}

describe("a broker that lost events", () => {
  it("is refilled after its stream was deleted, before anything newer", async () => {
    const relay = world.startRelay();
    await publish(1, 2, 3);
    await relayed();
    await relay.close();
    await deleteStream();
    await server.kill();
    await server.start();
    await publish(4);
    world.startRelay();
    world.startSubscriber("a");
    await expect.poll(texts, patience).toEqual(["1", "2", "3", "4"]);
  });

  it("is refilled by the relay that runs, and subscribers handle again nothing of what they had handled", async () => {
    world.startRelay({ streamCheckMs: 50 });
    world.startSubscriber("a");
    await publish(1, 2, 3);
    await expect.poll(texts, patience).toEqual(["1", "2", "3"]);
    await deleteStream();
    await publish(4);
    await expect.poll(texts, patience).toEqual(["1", "2", "3", "4"]);
    await relayed();
    world.startSubscriber("b", undefined, { service: "newcomer" });
    await expect.poll(texts, patience).toEqual(["1", "2", "3", "4", "1", "2", "3", "4"]);
  });

  it("is refilled in the order of its keys when its stream is deleted under load", { timeout: 60_000 }, async () => {
    const each = 20;
    const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
    await world.store.transaction(async () => {
      for (let n = 0; n < each; n++) for (const key of keys) await world.publish(key, String(n));
    });
    world.startRelay({ streamCheckMs: 50 });
    await expect.poll(waiting, { ...patience, interval: 2 }).toBeLessThan(0.7 * each * keys.length);
    await deleteStream();
    await relayed();
    // What was marked as published while its stream went comes with the next look.
    const numbers = Array.from({ length: each }, (_, n) => n + 1);
    await expect.poll(inStream, patience).toEqual(Object.fromEntries(keys.map((key) => [key, numbers])));
  });

  it("is refilled without anything newer to publish", async () => {
    world.startRelay({ streamCheckMs: 50 });
    await publish(1, 2);
    await relayed();
    await deleteStream();
    world.startSubscriber("a");
    await expect.poll(texts, patience).toEqual(["1", "2"]);
  });

  it("is refilled from where it was rolled back to", { timeout: 30_000 }, async () => {
    world.startRelay();
    await publish(1);
    await relayed();
    await server.kill();
    await server.backUp();
    await server.start();
    await publish(2, 3);
    await relayed();
    await server.kill();
    await server.rollBack();
    await publish(4);
    await server.start();
    await relayed();
    world.startSubscriber("a");
    await expect.poll(texts, patience).toEqual(["1", "2", "3", "4"]);
    const { rows } = await sql`select stream_sequence::int as n from weft.outbox_published order by position`.execute(
      world.store.db,
    );
    expect(rows).toEqual([1, 2, 3, 4].map((n) => ({ n })));
  });

  it.each([
    ["up to them", ["x"]],
    ["past them", ["x", "y", "z"]],
  ])(
    "is refilled with dead letters though another service has published %s since",
    {
      timeout: 30_000,
    },
    async (_, others) => {
      const relay = world.startRelay();
      world.startSubscriber("a", async () => {
        throw new Unprocessable("no");
      });
      const letters = async (): Promise<number> => (await world.deadLetters()).length;
      await publish(1);
      await expect.poll(letters, patience).toBe(1);
      await server.kill();
      await server.backUp();
      await server.start();
      await publish(2);
      await expect.poll(letters, patience).toBe(2);
      await relayed();
      await relay.close();
      await server.kill();
      await server.rollBack();
      await server.start();
      await expect.poll(letters, patience).toBe(1);
      for (const id of others) {
        const subject = deadLetterSubject("another", world.type.subject);
        await world.broker.publish({ stream: deadLetterStream, subject, id, headers: {}, data: new Uint8Array() });
      }
      world.startRelay();
      await expect.poll(letters, patience).toBe(2);
    },
  );

  it("is not seen in a dead letter, which stays one, and gone once it is dropped", { timeout: 30_000 }, async () => {
    world.startRelay({ streamCheckMs: 20 });
    world.startSubscriber("a", async () => {
      throw new Unprocessable("no");
    });
    const last = async () => (await world.broker.streamState(deadLetterStream)).lastSequence;
    for (const n of [1, 2, 3]) {
      await publish(n);
      await expect.poll(last, patience).toBe(BigInt(n));
      await relayed();
    }
    const [letter] = await world.deadLetters();
    await dropDeadLetter(world.broker, letter?.sequence ?? 0n);
    await publish(4);
    await expect.poll(async () => (await world.deadLetters()).length, patience).toBe(3);
    await relayed();
    expect(await last()).toBe(4n);
    const stored = await world.broker.operations.get(deadLetterStream.name, 4n);
    expect(stored?.headers[messageIdHeader]).not.toBe(stored?.headers[eventHeaders.id]);
  });
});

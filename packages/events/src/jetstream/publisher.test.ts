import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { writeHeaders } from "./message-headers.ts";
import { createPublisher, type Publisher } from "./publisher.ts";

let server: TestNatsServer;
let connection: NatsConnection;
let publisher: Publisher;
beforeAll(async () => {
  server = await startNatsServer();
  connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: "S", subjects: ["s.>"] });
  publisher = createPublisher(connection, 1_000);
});
afterAll(async () => {
  publisher.close();
  await connection.close();
  await server.close();
});

const data = new Uint8Array([1]);
const headers = (id: string, name = "S") =>
  writeHeaders({ stream: { name, subjects: [] }, subject: "s.a", id, headers: { "ce-id": id }, data });

describe("the publisher", () => {
  it("resolves each of many with its own number, and a repeated id with the first one's", async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `id-${i}`);
    const all = await Promise.all(ids.map((id) => publisher.publish("s.a", data, headers(id))));
    expect(all.map(({ sequence }) => Number(sequence))).toEqual(ids.map((_, i) => i + 1));
    expect(await publisher.publish("s.a", data, headers("id-7"))).toEqual({ sequence: 8n, duplicate: true });
  });

  it("rejects with the stream's own words when it refuses, and at once when there is none", async () => {
    const refused = publisher.publish("s.a", data, headers("other", "T"));
    await expect(refused).rejects.toBeInstanceOf(JetStreamApiError);
    await expect(publisher.publish("nobody.takes.it", data, headers("x"))).rejects.toThrow("no stream");
  });

  it("gives up what gets no answer in time, and what was under way when the connection went", async () => {
    const deaf = connection.subscribe("deaf", { callback() {} });
    const impatient = createPublisher(connection, 50);
    await expect(impatient.publish("deaf", data, headers("x"))).rejects.toThrow("within 50 ms");
    const abandoned = publisher.publish("deaf", data, headers("y"));
    publisher.abandon(new Error("the connection was lost"));
    await expect(abandoned).rejects.toThrow("lost");
    impatient.close();
    deaf.unsubscribe();
  });
});

import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { createdAt, ensureStream } from "./streams.ts";

const spec = { name: "STREAMS_A_V1", subjects: ["streams.a.v1.>"] };
const limits = { maxAgeMs: 60_000, deadLetterMaxAgeMs: 60_000, duplicateWindowMs: 60_000, replicas: 1 };

let server: TestNatsServer;
let connection: NatsConnection;
let manager: JetStreamManager;
beforeAll(async () => {
  server = await startNatsServer();
  connection = await connect({ servers: server.url });
  manager = await jetstreamManager(connection);
});
afterAll(async () => {
  await connection.close();
  await server.close();
});

it("a stream was created when it was first seen, whatever the node says that leads it later", async () => {
  const first = await ensureStream(manager, spec, limits);
  expect(createdAt(first)).toBe(first.created);
  const byAnother = { ...(await ensureStream(manager, spec, limits)), created: "2026-01-01T00:00:00Z" };
  expect(createdAt(byAnother)).toBe(first.created);
});

it("a stream that was deleted and made again is another one", async () => {
  const first = await ensureStream(manager, spec, limits);
  await manager.streams.delete(spec.name);
  expect(createdAt(await ensureStream(manager, spec, limits))).not.toBe(createdAt(first));
});

it("a stream's limits are mended", async () => {
  await ensureStream(manager, spec, limits);
  const { config } = await ensureStream(manager, spec, { ...limits, maxAgeMs: 120_000 });
  expect(config.max_age).toBe(120_000 * 1e6);
});

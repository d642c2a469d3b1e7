import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { createJetStreamBroker } from "./broker.ts";
import { createdAt, ensureStream } from "./streams.ts";

const spec = { name: "STREAMS_A_V1", subjects: ["streams.a.v1.>"] } as const;
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

it("a stream that is being created is asked for nothing that it doesn't have yet, and is described as one", async () => {
  const broker = createJetStreamBroker({ url: server.url, name: "streams" });
  await new Promise<void>((resolve) => void broker.onAvailable(resolve));
  const others = await Promise.all([1, 2, 3].map(() => connect({ servers: server.url })));
  const managers = await Promise.all(others.map((other) => jetstreamManager(other)));
  for (let round = 0; round < 100; round++) {
    let created = false;
    const asking = [1, 2, 3, 4].map(async () => {
      while (!created) expect(await broker.operations.read(spec.name, spec.subjects[0], 0n)).toBeUndefined();
    });
    const seen = await Promise.all(managers.map((manager) => ensureStream(manager, spec, limits)));
    expect(new Set(seen.map(createdAt))).toEqual(new Set([seen[0]?.created]));
    created = true;
    await Promise.all(asking);
    await manager.streams.delete(spec.name);
  }
  await Promise.all([broker, ...others].map((each) => each.close()));
});

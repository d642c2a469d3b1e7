import { jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Logger } from "@weft/telemetry";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Broker, BrokerUnavailable } from "../broker.ts";
import { createWorld, type World } from "../conformance/world.ts";
import { createTestDatabase } from "../testing/database.ts";
import { startNatsCluster, type TestNatsCluster } from "../testing/nats-cluster.ts";
import { createJetStreamBroker } from "./broker.ts";

/** NATS takes 4 to 9 s to find that a leader is dead and to elect another; the rest is ours, and slack for a busy machine. */
const electionMs = 9_000 + 4_000;
const patience = { timeout: 60_000, interval: 50 };

let cluster: TestNatsCluster;
beforeAll(async () => {
  cluster = await startNatsCluster();
});
afterAll(() => cluster.close());

/** What JetStream itself says of a stream, once it has a leader. */
async function inspect(name: string): Promise<StreamInfo & { readonly leader: string; readonly copies: number }> {
  const operator = await connect({ servers: cluster.url.split(",") });
  try {
    const { streams } = await jetstreamManager(operator, { timeout: 1_000, checkAPI: false });
    for (;;) {
      const info = await streams.info(name).catch(() => undefined);
      const { leader, replicas = [] } = info?.cluster ?? {};
      if (info && leader !== undefined)
        return { ...info, leader, copies: 1 + replicas.filter((r) => r.current).length };
    }
  } finally {
    await operator.close();
  }
}

describe("a service on a cluster of three", { timeout: 180_000 }, () => {
  let world: World;
  const warnings: string[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (_fields, message) => void warnings.push(message),
    error: (_fields, message) => void warnings.push(message),
    child: () => logger,
  };
  beforeEach(async () => {
    warnings.length = 0;
    const database = await createTestDatabase();
    world = await createWorld({
      connect: () => createJetStreamBroker({ url: cluster.url, name: "cluster", replicas: 3 }),
      databaseUrl: database.url,
      interrupt: async () => {},
      restore: async () => {},
      close: () => database.drop(),
    });
  });
  afterEach(() => world.close());

  /** Publishes on 20 keys until it is stopped; resolves then with how many were committed. */
  function load(): { stop(): Promise<number> } {
    let going = true;
    const counts = Array.from({ length: 20 }, async (_, key) => {
      let n = 0;
      for (; going; n++) {
        await world.publish(`k${key}`, String(n));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return n;
    });
    return {
      async stop() {
        going = false;
        return (await Promise.all(counts)).reduce((sum, n) => sum + n, 0);
      },
    };
  }

  /** The longest time in which no event left, in milliseconds. */
  async function longestStall(): Promise<number> {
    const { rows } = await sql<{ ms: number }>`
      select max(extract(epoch from published_at - former) * 1000)::float8 as ms
      from (select published_at, lag(published_at) over (order by published_at) as former from weft.outbox_published) as gaps
    `.execute(world.store.db);
    return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
  }

  it("loses and doubles nothing when a stream's leader is killed, and each node restarted in turn", async () => {
    world.startRelay({ logger, streamCheckMs: 200 });
    world.startSubscriber("a");
    const publishing = load();
    await expect.poll(async () => (await world.effects()).length, patience).toBeGreaterThan(100);

    const { leader } = await inspect(world.type.stream);
    await cluster.node(leader).kill();
    const afterKill = (await world.effects()).length;
    await expect.poll(async () => (await world.effects()).length, patience).toBeGreaterThan(afterKill + 200);
    await cluster.node(leader).start();
    for (const node of cluster.nodes) {
      await node.kill("SIGTERM");
      await node.start();
    }
    const committed = await publishing.stop();

    await expect.poll(async () => (await world.effects()).length, patience).toBe(committed);
    const effects = await world.effects();
    expect(new Set(effects.map(({ event_id }) => event_id)).size).toBe(committed);
    for (const [key, ofKey] of Map.groupBy(effects, ({ key }) => key)) {
      expect([key, ...ofKey.map(({ text }) => Number(text))]).toEqual([key, ...ofKey.keys()]);
    }
    expect(await longestStall()).toBeLessThan(electionMs);
    // Whoever led the stream, it was the same one to the relay.
    expect(warnings).not.toContain("the broker lost events: they are published again");
  });
});

describe("the JetStream broker on a cluster of three", { timeout: 120_000 }, () => {
  let broker: Broker;
  const stream = { name: "CLUSTER_A_V1", subjects: ["cluster.a.v1.>"] };
  const publish = (id: string, to = stream) =>
    broker.publish({
      stream: to,
      subject: to.subjects[0]?.replace(">", "T") ?? "",
      id,
      headers: {},
      data: new Uint8Array(),
    });
  const open = async (replicas: number): Promise<void> => {
    broker = createJetStreamBroker({ url: cluster.url, name: "cluster", replicas });
    await new Promise<void>((resolve) => void broker.onAvailable(resolve));
  };
  const published = (id: string, to = stream) =>
    expect.poll(() => publish(id, to).then(() => "published", String), patience).toBe("published");
  afterEach(() => broker.close());

  it("gives a stream that has one copy three, and never takes one away", async () => {
    await open(1);
    await published("1");
    const { created } = await broker.streamState(stream);
    await broker.close();
    await open(3);
    await published("2");
    await expect.poll(async () => (await inspect(stream.name)).copies, patience).toBe(3);
    expect(await broker.streamState(stream)).toEqual({ created, lastSequence: 2n });
    await broker.close();
    await open(1);
    await published("3");
    expect((await inspect(stream.name)).config.num_replicas).toBe(3);
  });

  it("waits for a majority, and publishes once there is one", async () => {
    await open(3);
    await published("4");
    const [first, second] = cluster.nodes;
    await Promise.all([first?.kill(), second?.kill()]);
    await expect(publish("5")).rejects.toBeInstanceOf(BrokerUnavailable);
    await first?.start();
    await published("5");
    await second?.start();
  });

  it("makes a new stream while a node is away", async () => {
    const another = { name: "CLUSTER_B_V1", subjects: ["cluster.b.v1.>"] };
    const [first] = cluster.nodes;
    await first?.kill();
    await open(3);
    await published("1", another);
    await first?.start();
    await expect.poll(async () => (await inspect(another.name)).copies, patience).toBe(3);
  });

  it("waits for nodes that a new stream's copies need, and goes on with a stream that has fewer", async () => {
    await open(5);
    const large = { name: "CLUSTER_C_V1", subjects: ["cluster.c.v1.>"] };
    await expect(publish("1", large)).rejects.toBeInstanceOf(BrokerUnavailable);
    await published("6");
    expect((await inspect(stream.name)).config.num_replicas).toBe(3);
  });
});

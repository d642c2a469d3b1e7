import { randomUUID } from "node:crypto";
import { MixinSchema } from "@bufbuild/protobuf/wkt";
import { createCall, runWithCall } from "@weft/context";
import {
  createMemoryBroker,
  deadLetterStream,
  publish,
  RetryLater,
  streamOf,
  subscribe,
  subscribeBatch,
  Unprocessable,
} from "@weft/events";
import { startSubscriber, unpark } from "@weft/events/inbox";
import { startRelay } from "@weft/events/outbox";
import { createCommandStore } from "@weft/store";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createLargeDatabase, type LargeDatabase } from "./create-large-database.ts";

const stream = "EXPLAIN_V1";
const thing = { schema: MixinSchema, subject: "explain.v1.Thing", stream, key: "name" };
const pile = { ...thing, subject: "explain.v1.Pile" };
const consumer = `explain-service-${stream}`;

/** Rows of days: keyed commands, events that left, events that were handled or failed. All are due to be forgotten. */
const days = `
  INSERT INTO weft.commands (scope, key, request_hash, lease_until, response, claimed_at)
  SELECT 'explain.v1.Service/Do', n::text, '', '2026-01-01', '', timestamptz '2026-01-01' + n * interval '1 second'
  FROM generate_series(1, 100000) AS n;
  INSERT INTO weft.outbox_keys SELECT '${stream}', n::text, 1 FROM generate_series(1, 100000) AS n;
  INSERT INTO weft.outbox (id, stream, subject, key, key_seq, headers, data)
  SELECT gen_random_uuid(), '${stream}', '${thing.subject}', n::text, 1, '{}', '' FROM generate_series(1, 100000) AS n;
  WITH sent AS (DELETE FROM weft.outbox_pending RETURNING position)
  INSERT INTO weft.outbox_published
  SELECT '${stream}', position, position, timestamptz '2026-01-01' + position * interval '1 second' FROM sent;
  INSERT INTO weft.inbox_positions SELECT '${consumer}', n::text, 1, 0 FROM generate_series(1, 100000) AS n;
  INSERT INTO weft.inbox
  SELECT '${consumer}', gen_random_uuid(), timestamptz '2026-01-01' + n * interval '1 second'
  FROM generate_series(1, 100000) AS n;
  INSERT INTO weft.inbox_failures
  SELECT '${consumer}', gen_random_uuid(), 1, '', timestamptz '2026-01-01' + n * interval '1 second'
  FROM generate_series(1, 100000) AS n`;

let database: LargeDatabase<unknown>;
beforeAll(async () => {
  database = await createLargeDatabase("weft", [], days);
});
afterAll(() => database?.drop());

describe("among 100,000 rows of each table of the mesh", () => {
  it("keyed commands are found by an index", async () => {
    const { store } = database;
    const commands = createCommandStore(store);
    const scope = "explain.v1.Service/Do";
    const claim = (key: string, leaseMs = 1_000) =>
      commands.claim({ scope, key, requestHash: new Uint8Array([1]), leaseMs });
    await claim("1");
    await claim("taken over", -1);
    expect((await claim("taken over")).kind).toBe("claimed");
    await commands.release({ scope, key: "taken over" });
    await claim("completed");
    await commands.complete({ scope, key: "completed", response: new Uint8Array() });
    const claimed = await claim("changed");
    if (claimed.kind !== "claimed") return expect.unreachable("nobody else has the key");
    const command = { scope, key: "changed", claim: claimed.claim, encode: () => new Uint8Array(), stored: false };
    await runWithCall(createCall({ command }), () => store.transaction(async () => undefined));
    expect(command.stored).toBe(true);
    expect(await commands.sweep({ retentionMs: 1_000, limit: 100 })).toBe(100);
    expect(await database.sequentialScans()).toEqual([]);
  });

  it("events are found by an index, on their way out and in", async () => {
    const { store } = database;
    const tried = new Set<string>();
    const handled: string[] = [];
    const broker = createMemoryBroker();
    // The relay knows the streams, and nothing of them is lost: to fill one again would read the whole outbox.
    for (const known of [streamOf(stream, thing.subject), deadLetterStream]) {
      const { created } = await broker.streamState(known);
      await store.pool.query("INSERT INTO weft.outbox_streams VALUES ($1, $2, $3, 0)", [
        known.name,
        thing.subject,
        created,
      ]);
    }
    const relay = startRelay({ store, broker, service: "explain", pollMs: 50, leaderIntervalMs: 50 });
    const subscriber = startSubscriber({
      service: "explain-service",
      store,
      broker,
      backoff: { baseMs: 10, maxMs: 50 },
      subscriptions: [
        subscribe(
          thing,
          async ({ name, root }) => {
            const again = tried.has(root);
            tried.add(root);
            if (root === "late" && !again) throw new RetryLater("it is early");
            if (root === "failing" && !again) throw new Error("it fails once");
            if (root === "poison") throw new Unprocessable("nobody can handle it");
            handled.push(`${name} ${root}`);
          },
          { afterDeadLetter: "park" },
        ),
        subscribeBatch(pile, async (received) => void handled.push(...received.map(({ event }) => event.name))),
      ],
    });
    const [key, parked] = [randomUUID(), randomUUID()];
    for (const root of ["fine", "late", "failing"]) {
      await store.transaction(() => publish(thing, { name: key, root }));
    }
    await store.transaction(() => publish(thing, { name: parked, root: "poison" }));
    await store.transaction(() => publish(pile, { name: "1" }));
    await vi.waitFor(() => expect(handled).toHaveLength(4), { timeout: 10_000 });
    await vi.waitFor(async () => {
      expect(await unpark(store, { service: "explain-service", stream, key: parked })).toBe(true);
    });
    // Of what is due to be forgotten, the sweeps that run at the start took some.
    await vi.waitFor(async () => {
      for (const table of ["outbox", "inbox", "inbox_failures"]) {
        const { rows } = await store.pool.query(`SELECT count(*)::int AS left FROM weft.${table}`);
        expect(rows[0].left, table).toBeLessThan(100_000);
      }
    });
    await Promise.all([relay.close(), subscriber.close()]);
    await broker.close();
    expect(await database.sequentialScans()).toEqual([]);
  });
});

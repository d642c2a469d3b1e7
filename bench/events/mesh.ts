import { setTimeout as sleep } from "node:timers/promises";
import { subscribe, subscribeBatch } from "@weft/events";
import { startSubscriber } from "@weft/events/inbox";
import { startRelay } from "@weft/events/outbox";
import type { Store } from "@weft/store";
import { sql } from "kysely";
import type { Answer } from "./task.ts";
import {
  effectsOf,
  eventType,
  fillOutbox,
  openBroker,
  openWorld,
  publishNth,
  type Servers,
  type Tables,
} from "./world.ts";

/** A relay on a filled outbox, from its first events on the broker until the outbox is empty. */
export async function relay(servers: Servers, count: number, warmUp: number): Promise<Answer> {
  const store = await openWorld(servers);
  const broker = await openBroker(servers, "bench-relay");
  const published = async (): Promise<number> => {
    const { lastSequence } = await broker.streamState({ name: eventType.stream, subjects: ["shop.order.v1.>"] });
    return Number(lastSequence);
  };
  const running = startRelay({ store, broker, service: "bench" });
  const timing = await startTiming(published, warmUp);
  while ((await published()) < count) await sleep(20);
  await outboxIsEmpty(store);
  const rate = timing.rateTo(count);
  await running.close();
  return { rate, errors: Math.abs(count - (await published())) };
}

/** Handlers at once: the service has 16 connections to its database. */
export const concurrency = 14;

/** A subscriber on a filled stream, each of whose events has an effect: a row in the inbox's transaction. */
export async function consume(servers: Servers, count: number, warmUp: number, batch: number): Promise<Answer> {
  const store = await openWorld(servers);
  const broker = await openBroker(servers, "bench-subscriber");
  const service = `bench-${batch}`;
  const subscriber = startSubscriber({
    ...{ service, store, broker, concurrency },
    subscriptions: [batch > 1 ? inBatches(store, batch) : oneByOne(store)],
  });
  const settled = async (): Promise<number> => {
    const state = await broker.operations.consumer(eventType.stream, service);
    return state ? count - state.pending - state.unanswered : 0;
  };
  const timing = await startTiming(settled, warmUp);
  while ((await settled()) < count) await sleep(50);
  const rate = timing.rateTo(count);
  const effects = await effectsOf(store);
  await subscriber.close();
  await sql`truncate effect`.execute(store.db);
  return { rate, errors: Math.abs(count - effects) };
}

/** Waits until so many are done, and times the rest. */
async function startTiming(done: () => Promise<number>, warmUp: number) {
  let from = await done();
  for (; from < warmUp; from = await done()) await sleep(20);
  const startedAt = performance.now();
  return { rateTo: (to: number): number => (to - from) / ((performance.now() - startedAt) / 1_000) };
}

function oneByOne(store: Store<Tables>, begin: (id: string) => void = () => undefined) {
  return subscribe(eventType, async ({ orderId }, { id }) => {
    begin(id);
    await store.within((tx) => tx.insertInto("effect").values({ event_id: id, order_id: orderId }).execute());
  });
}

function inBatches(store: Store<Tables>, most: number) {
  const handler: Parameters<typeof subscribeBatch<typeof eventType.schema>>[1] = async (received) => {
    const rows = received.map(({ event, delivery }) => ({ event_id: delivery.id, order_id: event.orderId }));
    await store.within((tx) => tx.insertInto("effect").values(rows).execute());
  };
  return subscribeBatch(eventType, handler, { most });
}

const wallClock = (): number => performance.timeOrigin + performance.now();

/** Waits until the nth is due, of so many a second from now on. */
function pace(perSecond: number): (n: number) => Promise<void> {
  const startedAt = performance.now();
  return async (n) => {
    const ms = startedAt + (n * 1_000) / perSecond - performance.now();
    if (ms > 0) await sleep(ms);
  };
}

/** A service that publishes so many a second, each in a transaction of its own, and relays them. */
export async function publishSteadily(servers: Servers, count: number, perSecond: number): Promise<Answer> {
  const store = await openWorld(servers);
  const relay = startRelay({ store, broker: await openBroker(servers, "bench-publisher"), service: "bench" });
  while (!relay.leads()) await sleep(20);
  const at: [string, number][] = [];
  const running: Promise<void>[] = [];
  const publishOne = async (n: number): Promise<void> => {
    const { id } = await store.transaction(() => publishNth(n));
    at.push([id, wallClock()]);
  };
  const due = pace(perSecond);
  for (let n = 0; n < count; n++) {
    await due(n);
    running.push(publishOne(n));
  }
  await Promise.all(running);
  await outboxIsEmpty(store);
  return { rate: perSecond, errors: count - at.length, at };
}

/** A service that handles them, and notes when each began. */
export async function noteStarts(servers: Servers, count: number, ready: () => void): Promise<Answer> {
  const store = await openWorld(servers);
  const broker = await openBroker(servers, "bench-latency");
  const at: [string, number][] = [];
  const service = "bench-latency";
  const subscriber = startSubscriber({
    ...{ service, store, broker },
    subscriptions: [oneByOne(store, (id) => void at.push([id, wallClock()]))],
  });
  while (!(await broker.operations.consumer(eventType.stream, service))) await sleep(20);
  ready();
  while ((await effectsOf(store)) < count) await sleep(200);
  await subscriber.close();
  return { rate: 0, errors: at.length - count, at };
}

/** A service under constant load, whose published rows are swept: how large its outbox is after each tenth. */
export async function publishForLong(
  servers: Servers,
  count: number,
  perSecond: number,
  retentionMs: number,
): Promise<Answer> {
  const store = await openWorld(servers);
  const broker = await openBroker(servers, "bench-load");
  const relay = startRelay({ store, broker, service: "bench", retentionMs });
  const sizes: number[] = [];
  const startedAt = performance.now();
  const due = pace(perSecond);
  for (let tenth = 0; tenth < 10; tenth++) {
    await fillOutbox(store, (tenth * count) / 10, ((tenth + 1) * count) / 10, due);
    const { rows } = await sql<{ mib: number }>`
      select sum(pg_total_relation_size(name::regclass))::float8 / 1048576 as mib
      from unnest(array['weft.outbox', 'weft.outbox_pending', 'weft.outbox_published']) as name`.execute(store.db);
    sizes.push(Math.round(rows[0]?.mib ?? 0));
  }
  await outboxIsEmpty(store);
  const rate = count / ((performance.now() - startedAt) / 1_000);
  const { lastSequence } = await broker.streamState({ name: eventType.stream, subjects: ["shop.order.v1.>"] });
  await relay.close();
  return { rate, errors: Math.abs(count - Number(lastSequence)), sizes };
}

async function outboxIsEmpty({ db }: Store<Tables>): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ left: boolean }>`
      select exists (select from weft.outbox_pending) as left`.execute(db);
    if (!rows[0]?.left) return;
    await sleep(20);
  }
}

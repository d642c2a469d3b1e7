import { randomUUID } from "node:crypto";
import { create, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Mixin, MixinSchema } from "@bufbuild/protobuf/wkt";
import { migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";
import type { Broker } from "../broker.ts";
import { eventHeaders, type Headers } from "../event-headers.ts";
import { createEventId } from "../event-id.ts";
import type { EventType } from "../event-type.ts";
import { type SubscriberOptions, startSubscriber } from "../inbox/index.ts";
import { eventMigrations } from "../migrations.ts";
import { type DeadLetterContents, inspectDeadLetter, listDeadLetters } from "../operations/index.ts";
import { type RelayOptions, startRelay } from "../outbox/index.ts";
import { type PublishOptions, publish } from "../publish.ts";
import { streamOf } from "../stream.ts";
import { type BatchOptions, type Delivery, type Subscription, subscribe, subscribeBatch } from "../subscribe.ts";

/** What the suite needs to know of a broker. One is set up for each test. */
export interface BrokerHarness {
  /** A connection to the broker, as another process would have; closed by the suite. */
  connect(): Broker;
  /** An empty PostgreSQL database: outbox and inbox are half of the promise. */
  readonly databaseUrl: string;
  /** Takes the broker away without a farewell. */
  interrupt(): Promise<void>;
  /** Brings it back with what it had acknowledged. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

export interface Effect {
  readonly event_id: string;
  readonly key: string;
  readonly seq: number;
  readonly text: string;
  readonly replica: string;
}

export type Thing = MessageShape<typeof MixinSchema>;
export type ThingHandler = (event: Mixin, delivery: Delivery) => Promise<void>;

/** One test's service: a database, a contract package of its own, and processes that publish and subscribe. */
export interface World {
  readonly harness: BrokerHarness;
  readonly service: string;
  /** An operator's connection. */
  readonly broker: Broker;
  readonly store: Store<unknown>;
  /** Things are keyed by `name`; `root` is their content. */
  readonly type: EventType<typeof MixinSchema>;
  readonly otherType: EventType<typeof MixinSchema>;
  connect(): Broker;
  publish(key: string, text: string, options?: PublishOptions): Promise<{ id: string; keySeq: bigint }>;
  startRelay(options?: Partial<RelayOptions<unknown>>): { close(): Promise<void>; leads(): boolean };
  /** Subscribes to `type`, in batches where `most` is given: the handler runs before the effect is written, in its transaction. */
  startSubscriber(
    replica: string,
    handler?: ThingHandler,
    options?: Partial<SubscriberOptions<unknown>> & { readonly subscription?: BatchOptions },
  ): { close(): Promise<void> };
  /** Puts an event straight on the broker, as a redelivery or an overtaking relay would. */
  inject(event: {
    readonly key: string;
    readonly keySeq: number;
    readonly text: string;
    readonly id?: string;
    readonly messageId?: string;
    /** What a foreign publisher adds. */
    readonly headers?: Headers;
  }): Promise<string>;
  /** What was handled, in the order of the commits. */
  effects(): Promise<readonly Effect[]>;
  /** Reads this service's dead letters off the broker. */
  deadLetters(): Promise<readonly DeadLetterContents[]>;
  close(): Promise<void>;
}

export async function createWorld(harness: BrokerHarness): Promise<World> {
  const service = `svc-${randomUUID().slice(0, 8)}`;
  const name = `conformance.p${randomUUID().slice(0, 8)}.v1`;
  const stream = name.toUpperCase().replaceAll(".", "_");
  const type = { schema: MixinSchema, subject: `${name}.Thing`, stream, key: "name" };
  const closing: (() => Promise<void>)[] = [];
  const store = openStore({ url: harness.databaseUrl, application: service, maxConnections: 20 });
  await migrate(store, [
    ...eventMigrations,
    {
      id: "0001_effect",
      sql: `create table effect (n bigserial primary key, event_id uuid, key text, seq int, text text, replica text)`,
    },
  ]);
  const direct = harness.connect();
  await new Promise<void>((resolve) => void direct.onAvailable(resolve));

  return {
    harness,
    service,
    broker: direct,
    store,
    type,
    otherType: { ...type, subject: `${name}.Other` },
    connect: () => {
      const broker = harness.connect();
      closing.push(() => broker.close());
      return broker;
    },
    publish: (key, text, options) => store.transaction(() => publish(type, { name: key, root: text }, options)),
    startRelay(options) {
      const broker = harness.connect();
      const relay = startRelay({ store, broker, service, pollMs: 100, leaderIntervalMs: 100, ...options });
      closing.push(async () => {
        await relay.close();
        await broker.close();
      });
      return relay;
    },
    startSubscriber(replica, handler, { subscription, ...options } = {}) {
      const take = async (event: Thing, delivery: Delivery): Promise<void> => {
        await handler?.(event, delivery);
        await store.transaction((tx) =>
          sql`insert into effect (event_id, key, seq, text, replica) values
            (${delivery.id}, ${delivery.key}, ${Number(delivery.keySeq)}, ${event.root}, ${replica})`.execute(tx),
        );
      };
      const takeAll: Parameters<typeof subscribeBatch<typeof MixinSchema>>[1] = async (received) => {
        for (const { event, delivery } of received) await take(event, delivery);
      };
      const subscribed: Subscription =
        subscription?.most === undefined
          ? subscribe(type, take, subscription)
          : subscribeBatch(type, takeAll, subscription);
      const broker = harness.connect();
      const subscriber = startSubscriber({
        service,
        store,
        broker,
        backoff: { baseMs: 20, maxMs: 200 },
        maxDeliver: 4,
        subscriptions: [subscribed],
        ...options,
      });
      closing.push(async () => {
        await subscriber.close();
        await broker.close();
      });
      return subscriber;
    },
    async inject({ key, keySeq, text, id = createEventId(), messageId = id, headers }) {
      await direct.publish({
        stream: streamOf(stream, type.subject),
        subject: type.subject,
        id: messageId,
        headers: {
          [eventHeaders.id]: id,
          [eventHeaders.key]: key,
          [eventHeaders.keySeq]: String(keySeq),
          [eventHeaders.time]: new Date().toISOString(),
          ...headers,
        },
        data: toBinary(MixinSchema, create(MixinSchema, { name: key, root: text })),
      });
      return id;
    },
    async effects() {
      const { rows } = await sql<Effect>`select * from effect order by n`.execute(store.db);
      return rows;
    },
    async deadLetters() {
      const letters = await listDeadLetters(direct, { service });
      return Promise.all(letters.map(({ sequence }) => inspectDeadLetter(direct, sequence)));
    },
    async close() {
      for (const close of closing.reverse()) await close();
      await direct.close();
      await store.close();
      await harness.close();
    },
  };
}

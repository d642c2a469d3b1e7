import { OrderStatus, OrderStatusChanged } from "@shop/contracts/order";
import { eventMigrations, type PublishedEvent, publish } from "@weft/events";
import { createJetStreamBroker } from "@weft/events/jetstream";
import { type Migration, migrate, openStore, type Store } from "@weft/store";
import { sql } from "kysely";

/** Where a worker finds its servers. */
export interface Servers {
  readonly databaseUrl: string;
  readonly natsUrl: string;
}

export interface Tables {
  effect: { event_id: string; order_id: string };
}

export const eventType = OrderStatusChanged;
/** What all events are spread over. */
export const keys = Array.from({ length: 2_000 }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`);

const migrations: readonly Migration[] = [
  ...eventMigrations,
  { id: "0001_effect", sql: "create table effect (event_id uuid primary key, order_id uuid not null)" },
];

export async function openWorld({ databaseUrl }: Servers): Promise<Store<Tables>> {
  const store = openStore<Tables>({ url: databaseUrl, application: "bench", maxConnections: 16 });
  await migrate(store, migrations);
  return store;
}

/** A broker that is connected. */
export async function openBroker({ natsUrl }: Servers, name: string) {
  const broker = createJetStreamBroker({ url: natsUrl, name });
  await new Promise<void>((resolve) => void broker.onAvailable(resolve));
  return broker;
}

/** The n-th event: about 120 bytes, the keys in turn. Call it inside a transaction. */
export function publishNth(n: number): Promise<PublishedEvent> {
  return publish(eventType, {
    orderId: keys[n % keys.length] as string,
    userId: "00000000-0000-4000-8000-000000000001",
    previousStatus: OrderStatus.PENDING,
    status: OrderStatus.CONFIRMED,
    reason: `event ${n}`,
    changedAt: { seconds: BigInt(Math.floor(Date.now() / 1_000)), nanos: 0 },
  });
}

/**
 * Publishes events from one number up to another, a hundred a transaction, as fast as the outbox takes them. Four transactions at once, which have no
 * key in common. `due` holds up the one that begins with an event.
 */
export async function fillOutbox(
  store: Store<Tables>,
  from: number,
  to: number,
  due: (n: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const lane = async (lane: number): Promise<void> => {
    for (let n = from + lane; n < to; ) {
      await due(n);
      await store.transaction(async () => {
        for (let i = 0; i < 100 && n < to; i++, n += 4) await publishNth(n);
      });
    }
  };
  await Promise.all([0, 1, 2, 3].map(lane));
}

export async function effectsOf({ db }: Store<Tables>): Promise<number> {
  const { rows } = await sql<{ done: number }>`select count(*)::int as done from effect`.execute(db);
  return rows[0]?.done ?? 0;
}

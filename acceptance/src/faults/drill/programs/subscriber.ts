import { subscribe } from "@weft/events";
import { startSubscriber } from "@weft/events/inbox";
import { startRelay } from "@weft/events/outbox";
import { sql } from "kysely";
import { Granted, sinkName } from "../granted.ts";
import { openProgram } from "./program.ts";

/** Notes each wish that was granted, unless its key is refused. */
const { store, broker, faults, options } = openProgram("subscriber");

const granted = subscribe(Granted, async ({ root }, { key, keySeq }) => {
  const { numAffectedRows } = await store.transaction((tx) =>
    sql`
      insert into effect (attempt, key, key_seq)
      select ${root}::uuid, ${key}, ${String(keySeq)}::bigint
      where not exists (select from refused where key = ${key})`.execute(tx),
  );
  if (numAffectedRows !== 1n) throw new Error(`events of ${key} are refused`);
});

// Dead letters leave by its own outbox.
startRelay({ store, broker, service: sinkName });
startSubscriber({
  service: sinkName,
  store,
  broker,
  subscriptions: [granted],
  maxDeliver: options.maxDeliver,
  ackWaitMs: 2_000,
  backoff: { baseMs: 50, maxMs: 1_000 },
  faults,
});

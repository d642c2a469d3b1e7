import { systemClock } from "@weft/context";
import { migrate, openStore, type Store } from "@weft/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IncomingMessage } from "../broker.ts";
import { eventHeaders } from "../event-headers.ts";
import { createEventId } from "../event-id.ts";
import { eventMigrations } from "../migrations.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { createInboxTable } from "./inbox-table.ts";
import { readEvent } from "./incoming-event.ts";
import { type SettleContext, settleEvent } from "./settle-event.ts";

let database: TestDatabase;
let store: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "admission-test", statementTimeoutMs: 1_000 });
  await migrate(store, eventMigrations);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const event = (keySeq: number) => {
  const message: IncomingMessage = {
    stream: "S",
    subject: "s.v1.Thing",
    headers: { [eventHeaders.id]: createEventId(), [eventHeaders.key]: "k", [eventHeaders.keySeq]: String(keySeq) },
    data: new Uint8Array(),
    sequence: BigInt(keySeq),
    deliveryCount: 1,
    storedAt: new Date(),
    ack() {},
    nak() {},
    drop() {},
    working() {},
    predecessorsSettled: async () => false,
  };
  return readEvent(message);
};

describe("admission", () => {
  it("lets an event come again when another instance has its key for long, without a failed run", async () => {
    const context: SettleContext<unknown> = {
      service: "svc",
      store,
      table: createInboxTable(store),
      rules: { consumer: "svc/S", from: "beginning", retentionMs: 60_000, now: Date.now },
      handlerTimeoutMs: 1_000,
      clock: systemClock,
      closing: new AbortController().signal,
      faults: undefined,
    };
    const settle = (keySeq: number) => settleEvent(context, undefined, event(keySeq));
    expect(await settle(1)).toBe("skipped");
    const other = await store.connect("another instance");
    await other.query("begin");
    await other.query("select pg_advisory_xact_lock(hashtextextended('svc/S k', 0))");
    expect(await settle(2)).toBe("ahead");
    await other.end();
    expect(await settle(2)).toBe("skipped");
  });
});

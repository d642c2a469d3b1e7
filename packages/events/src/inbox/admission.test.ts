import { systemClock } from "@weft/context";
import { migrate, openStore, type Store } from "@weft/store";
import type { KyselyPlugin } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IncomingMessage } from "../broker.ts";
import { eventHeaders } from "../event-headers.ts";
import { createEventId } from "../event-id.ts";
import { eventMigrations } from "../migrations.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { type AdmissionRules, admit } from "./admission.ts";
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

const event = (key: string, keySeq: number) => {
  const message: IncomingMessage = {
    stream: "S",
    subject: "s.v1.Thing",
    headers: { [eventHeaders.id]: createEventId(), [eventHeaders.key]: key, [eventHeaders.keySeq]: String(keySeq) },
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

const rules: AdmissionRules = { consumer: "svc/S", from: "beginning", retentionMs: 60_000, now: Date.now };

describe("admission", () => {
  it("lets an event come again when another instance has its key for long, without a failed run", async () => {
    const context: SettleContext<unknown> = {
      service: "svc",
      store,
      table: createInboxTable(store),
      rules,
      handlerTimeoutMs: 1_000,
      clock: systemClock,
      closing: new AbortController().signal,
      faults: undefined,
    };
    const settle = (keySeq: number) => settleEvent(context, undefined, event("k", keySeq));
    expect(await settle(1)).toBe("skipped");
    const leave = await enter("k");
    expect(await settle(2)).toBe("ahead");
    await leave();
    expect(await settle(2)).toBe("skipped");
  });

  it("takes no event for ahead of its key whose key another instance left while it was being decided", async () => {
    const leave = await enter("left");
    const leavesAfterFirstStatement: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        await leave();
        return result;
      },
    };
    const decide = (...plugins: KyselyPlugin[]) =>
      store.transaction((tx) => {
        const through = plugins.reduce((tx, plugin) => tx.withPlugin(plugin), tx);
        return admit(through, event("left", 1), rules, false);
      });
    expect(await decide(leavesAfterFirstStatement)).toEqual({ kind: "busy" });
    expect(await decide()).toMatchObject({ kind: "next" });
  });
});

/** Holds a key as another instance does that is at one of its events; resolves with what lets it go. */
async function enter(key: string): Promise<() => Promise<void>> {
  const other = await store.connect("another instance");
  await other.query("begin");
  await other.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`svc/S ${key}`]);
  let left: Promise<void> | undefined;
  return () => (left ??= other.end());
}

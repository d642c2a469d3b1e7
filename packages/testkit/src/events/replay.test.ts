import { randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { MixinSchema } from "@bufbuild/protobuf/wkt";
import { type Delivery, type EventType, subscribe, Unprocessable } from "@weft/events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../database/create-test-database.ts";
import { deadLetters } from "./dead-letters.ts";
import { deliverAgain } from "./deliver-again.ts";
import { type Failure, failingAtFirst, failures } from "./failures.ts";
import { bytesOf, idOf, type RecordedEvent } from "./history.ts";
import { type Replay, startReplay } from "./replay.ts";

interface Tables {
  readonly effect: { readonly id: string };
}

const type: EventType<typeof MixinSchema> = {
  schema: MixinSchema,
  subject: "replayed.v1.Thing",
  stream: "REPLAYED_V1",
  key: "name",
};

let database: TestDatabase<Tables>;
let replay: Replay;
const delivered: Delivery[] = [];

beforeAll(async () => {
  database = await createTestDatabase("replay", [{ id: "0001_effect", sql: "CREATE TABLE effect (id uuid)" }]);
});
beforeEach(async () => {
  await database.empty();
  delivered.length = 0;
});
afterEach(() => replay?.close());
afterAll(() => database?.drop());

/** A handler whose effect is a row. */
function begin(failure: Failure = { name: "", times: 0, fail: async () => {} }): void {
  const { store } = database;
  const subscription = subscribe(type, async ({ root }, delivery) => {
    delivered.push(delivery);
    if (root === "never") throw new Unprocessable("it can't be");
    await store.transaction((tx) => tx.insertInto("effect").values({ id: delivery.id }).execute());
  });
  replay = startReplay({ service: "replay", store, subscriptions: [failingAtFirst(subscription, failure)] });
}

function recorded(root = "", { stream = type.stream, key = "k" } = {}): RecordedEvent {
  const data = toBinary(MixinSchema, create(MixinSchema, { name: key, root }));
  return {
    ...{ stream, sequence: 1, subject: type.subject, storedAt: "2026-05-01T10:00:00Z", message: {} },
    headers: { "ce-id": randomUUID(), "ce-partitionkey": key, "ce-sequence": "1", "ce-time": "2026-05-01T10:00:00Z" },
    data: Buffer.from(data).toString("base64"),
  };
}

const effects = async () => (await database.store.db.selectFrom("effect").selectAll().execute()).map(({ id }) => id);

describe("a replay", () => {
  it("resolves once the event has its effect, which it has once however often it is delivered", async () => {
    begin();
    const event = recorded();
    await replay.deliver(event);
    expect(await effects()).toEqual([event.headers["ce-id"]]);
    expect(delivered).toMatchObject([{ id: event.headers["ce-id"], key: "k", keySeq: 1n }]);
    for (const deliveries of [0, 1, 7]) await replay.deliver(event, deliveries);
    expect(await effects()).toHaveLength(1);
    expect(delivered).toHaveLength(1);
  });

  it("resolves at the dead letter of what can't be handled, which has the event's bytes", async () => {
    begin();
    const event = recorded("never");
    await replay.deliver(event);
    expect(await deadLetters(database.store)).toEqual([
      { subject: type.subject, reason: "unprocessable", data: bytesOf(event) },
    ]);
    expect(await effects()).toEqual([]);
  });

  it("passes over the streams that nobody subscribes to", async () => {
    begin();
    await replay.deliver(recorded("", { stream: "OTHER_V1" }));
    expect(delivered).toEqual([]);
  });
});

describe("a history that is delivered again", () => {
  it("comes to an inbox that knows it, and then to one that has forgotten it", async () => {
    begin();
    const event = recorded();
    await replay.deliver(event);
    const { once, again, forgotten } = await deliverAgain([event], { replay, store: database.store, effects });
    expect(once.effects).toEqual([idOf(event)]);
    expect(again).toEqual(once);
    expect(forgotten.effects, "this handler leaves it all to the inbox").toEqual([idOf(event), idOf(event)]);
  });

  it("leaves out what became a dead letter, which is among what the service has published", async () => {
    begin();
    const [fine, never] = [recorded(), recorded("never", { key: "other" })];
    for (const event of [fine, never]) await replay.deliver(event);
    const { once, forgotten } = await deliverAgain([fine, never], { replay, store: database.store, effects });
    expect(once.published).toHaveLength(1);
    expect(forgotten.published).toEqual(once.published);
  });

  it("is looked at when the workers have settled what came", async () => {
    begin();
    const seen: string[] = [];
    await deliverAgain([recorded()], {
      ...{ replay, store: database.store },
      settle: async () => void seen.push("settled"),
      effects: async () => void seen.push("looked"),
    });
    expect(seen).toEqual(["looked", "settled", "looked", "settled", "looked"]);
  });
});

describe.each(failures)("a handler that fails at first: $name", (failure) => {
  it("has run so often and once more, and has one effect", async () => {
    begin(failure);
    await replay.deliver(recorded());
    expect(delivered).toHaveLength(failure.times + 1);
    expect(await effects()).toHaveLength(1);
    expect(await deadLetters(database.store)).toEqual([]);
  });
});

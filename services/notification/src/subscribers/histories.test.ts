import { join } from "node:path";
import { OrderCreatedSchema, OrderStatusChangedSchema } from "@shop/contracts/order";
import { PaymentCompletedSchema } from "@shop/contracts/payment";
import { UserCreatedSchema, UserUpdatedSchema } from "@shop/contracts/user";
import * as testkit from "@weft/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mailbox, startMailbox } from "../testing/mailbox.ts";
import { openNotificationService, type RunningNotification } from "../testing/running-notification.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));

/** How many mails each history sent: of the account, of orders received, of what became of them, and receipts. */
const ends: Readonly<Record<string, readonly [account: number, received: number, status: number, receipts: number]>> = {
  "cancelled-before-the-charge": [1, 1, 1, 0],
  "cancelled-while-charged": [1, 1, 1, 0],
  "cancelled-once-confirmed": [1, 1, 2, 1],
  declined: [1, 1, 1, 0],
  "newer-publisher": [1, 1, 1, 1],
  paid: [1, 1, 1, 1],
  "payment-timed-out": [1, 1, 1, 0],
  "refunded-by-an-operator": [1, 1, 2, 1],
  "shipped-and-delivered": [1, 1, 3, 1],
  "stock-gone": [2, 2, 3, 2],
  "two-orders-of-one-user": [1, 2, 3, 2],
  "user-created-updated-deleted": [2, 0, 0, 0],
};

let mailbox: Mailbox;
let service: RunningNotification;
let replay: testkit.Replay;

beforeAll(async () => {
  mailbox = await startMailbox();
  service = await openNotificationService({ smtpUrl: mailbox.smtpUrl });
});

beforeEach(async () => {
  await Promise.all([service.empty(), mailbox.empty()]);
  replay = testkit.startReplay({ service: "notification", ...service });
});

afterEach(() => replay.close());

afterAll(async () => {
  await service?.close();
  await mailbox?.stop();
});

async function play(events: readonly testkit.RecordedEvent[]): Promise<void> {
  for (const event of events) await replay.deliver(event);
  await send();
}

/** A recorded event's mail is due at the event's time, whatever the time is now. */
async function send(): Promise<void> {
  const last = Math.max(...histories.flatMap(({ events }) => events.map(({ storedAt }) => Date.parse(storedAt))));
  service.pass(Math.max(0, last - Date.now()) + 1);
  while ((await service.turn()) > 0);
}

/** No version may publish an order without its total: it becomes a dead letter. */
function isReadable(event: testkit.RecordedEvent): boolean {
  const created = testkit.recordedAs(OrderCreatedSchema, event);
  return created === undefined || created.total !== undefined;
}

/** The events that owe a mail, by what it is of. */
function owing(events: readonly testkit.RecordedEvent[]) {
  const of = (...subjects: readonly string[]) => events.filter(({ subject }) => subjects.includes(subject));
  return [
    of(UserCreatedSchema.typeName, UserUpdatedSchema.typeName),
    of(OrderCreatedSchema.typeName).filter(isReadable),
    of(OrderStatusChangedSchema.typeName),
    of(PaymentCompletedSchema.typeName),
  ];
}

const messageIdsOf = (events: readonly testkit.RecordedEvent[]) =>
  owing(events)
    .flat()
    .map((event) => `${testkit.idOf(event)}@weft.shop`)
    .toSorted();

const caught = async () => (await mailbox.messageIds()).toSorted();

describe.each(histories)("the recorded history $name", ({ name, events }) => {
  it("sends one mail for each event that owes one, with its id as Message-ID", async () => {
    await play(events);
    expect(owing(events).map((each) => each.length)).toEqual(ends[name]);
    expect(await caught()).toEqual(messageIdsOf(events));
  });

  it("sends none when its events come again, nor when the inbox has forgotten them", async () => {
    await play(events);
    const { once, again, forgotten } = await testkit.deliverAgain(events, {
      ...{ replay, store: service.store, settle: send },
      effects: caught,
    });
    expect(once.effects).toEqual(messageIdsOf(events));
    expect(again).toEqual(once);
    expect(forgotten).toEqual(once);
  });
});

it.each([1, 2, 3, 4, 5])(
  "all histories at once send each mail once, whichever order comes first (%i)",
  async (seed) => {
    const all = histories.flatMap(({ events }) => events);
    await play(testkit.interleave(all, seed));
    expect(await caught()).toEqual(messageIdsOf(all));
  },
);

it("a newer version's fields are no obstacle, and are in the dead letter byte for byte", async () => {
  const { events = [] } = histories.find(({ name }) => name === "newer-publisher") ?? {};
  await play(events);
  const withoutTotal = events.filter((event) => !isReadable(event));
  expect(withoutTotal).toHaveLength(1);
  expect(await testkit.deadLetters(service.store)).toEqual(
    withoutTotal.map((event) => ({ subject: event.subject, reason: "unprocessable", data: testkit.bytesOf(event) })),
  );
});

import { join } from "node:path";
import { OrderCreatedSchema, OrderStatusChangedSchema, OrderStatus as Status } from "@shop/contracts/order";
import { PaymentRefundedSchema } from "@shop/contracts/payment";
import * as testkit from "@weft/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ProviderSimulator, startProviderSimulator } from "../testing/provider.ts";
import { openPaymentService, type RunningPayment } from "../testing/running-payment.ts";

const histories = testkit.readHistories(join(import.meta.dirname, "../../../../acceptance/histories"));

/** How each history's payments ended, in the order in which the orders were placed; then what the provider has of them. */
const ends: Readonly<Record<string, readonly string[]>> = {
  "cancelled-before-the-charge": ["cancelled, 0 charges, 0 refunds"],
  "cancelled-while-charged": ["refunded, 1 charges, 1 refunds"],
  "cancelled-once-confirmed": ["refunded, 1 charges, 1 refunds"],
  declined: ["failed, 1 charges, 0 refunds"],
  "newer-publisher": ["completed, 1 charges, 0 refunds", "undefined, 0 charges, 0 refunds"],
  paid: ["completed, 1 charges, 0 refunds"],
  "payment-timed-out": ["cancelled, 0 charges, 0 refunds"],
  "refunded-by-an-operator": ["refunded, 1 charges, 1 refunds"],
  "shipped-and-delivered": ["completed, 1 charges, 0 refunds"],
  "stock-gone": ["refunded, 1 charges, 1 refunds", "completed, 1 charges, 0 refunds"],
  "two-orders-of-one-user": ["refunded, 1 charges, 1 refunds", "completed, 1 charges, 0 refunds"],
  "user-created-updated-deleted": [],
};

/** What no version may publish becomes a dead letter. */
const unreadable: Readonly<Record<string, readonly string[]>> = { "newer-publisher": ["shop.order.v1.OrderCreated"] };

let provider: ProviderSimulator;
let payment: RunningPayment;
let replay: testkit.Replay;

beforeAll(async () => {
  provider = await startProviderSimulator();
  payment = await openPaymentService({ providerUrl: provider.url });
});

beforeEach(async () => {
  await payment.empty();
  replay = testkit.startReplay({ service: "payment", ...payment });
});

afterEach(() => replay.close());

afterAll(async () => {
  await payment?.close();
  await provider?.stop();
});

/** Lets it happen again: orders come, and the workers and the operator take their turns when they did. */
async function play(events: readonly testkit.RecordedEvent[]): Promise<void> {
  const cancelled = new Set<string>();
  const slow = new Map<string, SlowCharge>();
  for (const event of events) {
    const changed = testkit.recordedAs(OrderStatusChangedSchema, event);
    if (changed?.status === Status.CANCELLED) cancelled.add(changed.orderId);
    if (testkit.isOf("payment", event)) {
      await slow.get(testkit.keyOf(event))?.answer();
      await act(event, cancelled);
    } else {
      await replay.deliver(event);
      const created = testkit.recordedAs(OrderCreatedSchema, event);
      if (created?.paymentToken === "tok_slow") slow.set(created.orderId, await chargeSlowly(created.orderId));
    }
  }
  payment.during.charge = undefined;
}

interface SlowCharge {
  /** Lets the service have the provider's answer, and waits for what it makes of it. */
  answer(): Promise<unknown>;
}

/** Charges; resolves when the provider has done so and the service doesn't know yet. */
async function chargeSlowly(orderId: string): Promise<SlowCharge> {
  const [charged, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  payment.during.charge = async (id) => {
    if (id !== orderId) return;
    charged.resolve();
    await answered.promise;
  };
  const turn = payment.turn("charge", orderId);
  await charged.promise;
  return {
    answer() {
      answered.resolve();
      return turn;
    },
  };
}

async function act(event: testkit.RecordedEvent, cancelled: ReadonlySet<string>): Promise<void> {
  const orderId = testkit.keyOf(event);
  if (event.subject !== PaymentRefundedSchema.typeName) {
    await payment.turn("charge", orderId);
    return;
  }
  // Nobody else gives money back: an order that isn't cancelled was refunded by hand.
  if (!cancelled.has(orderId)) await payment.client.refundPayment({ orderId, reason: "the parcel was damaged" });
  await payment.turn("refund", orderId);
}

function placedIn(events: readonly testkit.RecordedEvent[]): readonly string[] {
  return testkit
    .asSeenBy("order", { events })
    .flatMap((event) => testkit.recordedAs(OrderCreatedSchema, event)?.orderId ?? []);
}

const endsOf = (ids: readonly string[]) =>
  Promise.all(
    ids.map(async (id) => {
      const [charges, refunds] = await Promise.all([provider.charges(id), provider.refunds(id)]);
      const status = (await payment.payments.get(id))?.status;
      return `${status}, ${charges.length} charges, ${refunds.length} refunds`;
    }),
  );

const wasTold = (events: readonly testkit.RecordedEvent[], orderId: string) =>
  testkit.toldBy("payment", events, orderId).map(({ subject }) => subject.replace(/^.*\./, ""));

/** All that there is of payments, and the provider's books. */
async function effectsOf(events: readonly testkit.RecordedEvent[]) {
  return {
    ends: await endsOf(placedIn(events)),
    payments: await payment.store.db.selectFrom("payments").selectAll().orderBy("order_id").execute(),
  };
}

/** One turn of each worker. */
async function work(): Promise<void> {
  for (const each of ["charge", "refund"] as const) await payment.turn(each);
}

describe.each(histories)("the recorded history $name", (history) => {
  const events = testkit.asSeenBy("payment", history);

  it("ends as it did, and tells the same", async () => {
    await play(events);
    expect(await endsOf(placedIn(events))).toEqual(ends[history.name]);
    for (const id of placedIn(events)) expect(await payment.published(id)).toEqual(wasTold(events, id));
  });

  it("has no second effect when its events come again, nor when the inbox has forgotten them", async () => {
    await play(events);
    const { once, again, forgotten } = await testkit.deliverAgain(events, {
      ...{ replay, store: payment.store, settle: work },
      effects: () => effectsOf(events),
    });
    expect(again).toEqual(once);
    expect(forgotten).toEqual(once);
    const letters = await testkit.deadLetters(payment.store);
    expect(letters.map(({ subject }) => subject)).toEqual(unreadable[history.name] ?? []);
  });
});

it.each([1, 2, 3, 4, 5])("all histories at once end as each did, whichever order comes first (%i)", async (seed) => {
  const all = histories.flatMap((history) => testkit.asSeenBy("payment", history));
  await play(testkit.interleave(all, seed));
  for (const { name, events } of histories) expect(await endsOf(placedIn(events)), name).toEqual(ends[name]);
});

it("a newer version's fields are no obstacle, and are in the dead letter byte for byte", async () => {
  const history = histories.find(({ name }) => name === "newer-publisher");
  const events = testkit.asSeenBy("payment", history ?? { events: [] });
  await play(events);
  const [unreadable] = events.filter((event) => {
    const created = testkit.recordedAs(OrderCreatedSchema, event);
    return created !== undefined && created.total === undefined;
  });
  const data = unreadable && testkit.bytesOf(unreadable);
  expect(await testkit.deadLetters(payment.store)).toEqual([
    { subject: OrderCreatedSchema.typeName, reason: "unprocessable", data },
  ]);
});

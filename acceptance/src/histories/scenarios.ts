import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@weft/devstack";
import type { OrderJson, Shop } from "../shop.ts";
import { until } from "../until.ts";

/** Something that happens in the shop, and what it leaves behind. */
export interface Scenario {
  /** The name of its file. */
  readonly name: string;
  /** What happens, for who reads the history. */
  readonly note: string;
  /** Resolves when nothing is left to happen, but for events on their way. */
  play(stage: Stage): Promise<void>;
}

export interface Stage {
  readonly stack: Stack;
  /** The shop as its customers reach it now. */
  readonly shop: () => Shop;
}

/** How long stock is held for an order that doesn't come, and how long an order waits for its payment, in milliseconds. */
export const reservationTtlMs = 3_000;
export const paymentTimeoutMs = 8_000;

const plenty = "espresso-beans";
const scarce = "moka-pot";

export const scenarios: readonly Scenario[] = [
  {
    name: "paid",
    note: "A customer orders two products and pays. The order is confirmed and its stock committed.",
    async play({ shop }) {
      const { order } = await place(shop(), [plenty, "filter-papers"]);
      await ended(shop(), order, "CONFIRMED", "COMPLETED");
    },
  },
  {
    name: "declined",
    note: "The card is declined: the order is cancelled and its stock released.",
    async play({ shop }) {
      const { order } = await place(shop(), [plenty], { token: "tok_declined" });
      await ended(shop(), order, "CANCELLED", "FAILED");
    },
  },
  {
    name: "cancelled-before-the-charge",
    note: "The payment service is stopped; the customer cancels. It hears of both when it is back, and charges nothing.",
    play: ({ stack, shop }) =>
      without(stack, "payment", async (back) => {
        const { order } = await place(shop(), [plenty]);
        await shop().cancel(order.id);
        await back();
        await ended(shop(), order, "CANCELLED", "CANCELLED");
      }),
  },
  {
    name: "cancelled-while-charged",
    note: "The provider takes seconds for the charge; the customer cancels meanwhile. What was charged goes back, and no payment is completed.",
    async play({ shop }) {
      const { order } = await place(shop(), [plenty], { token: "tok_slow" });
      await until("the request to the provider", async () =>
        (await shop().paymentStatus(order.id)) === "PAYMENT_STATUS_PENDING" ? true : undefined,
      );
      // Nobody outside is told that the provider has been asked; its answer takes 3 s.
      await sleep(1_000);
      await shop().cancel(order.id);
      await ended(shop(), order, "CANCELLED", "REFUNDED");
    },
  },
  {
    name: "cancelled-once-confirmed",
    note: "The customer cancels an order that is paid: the money goes back, and so does the stock.",
    async play({ shop }) {
      const { order } = await place(shop(), [plenty], { quantity: 2 });
      await ended(shop(), order, "CONFIRMED", "COMPLETED");
      await shop().cancel(order.id);
      await ended(shop(), order, "CANCELLED", "REFUNDED");
    },
  },
  {
    name: "payment-timed-out",
    note: "The payment service is away until the order's time is over. It is cancelled, and nothing is charged afterwards.",
    play: ({ stack, shop }) =>
      without(stack, "payment", async (back) => {
        const { order } = await place(shop(), [plenty]);
        await statusOf(shop(), order, "CANCELLED");
        await back();
        await ended(shop(), order, "CANCELLED", "CANCELLED");
      }),
  },
  {
    name: "stock-gone",
    note: "NATS is away. A customer orders all of a product; the reservation expires, and another customer orders it. When NATS is back the first order can't be filled and is cancelled, the second is confirmed.",
    async play({ stack, shop }) {
      const { nats } = stack.infrastructure;
      await nats.kill("SIGKILL");
      const { order: first } = await place(shop(), [scarce], { quantity: 5 });
      const rival = await shop().createUser("Grace Hopper");
      const second = await until("the expiry of the reservation", () =>
        orderFor(shop(), rival.id, [scarce], { quantity: 5 }).catch(() => undefined),
      );
      await nats.start();
      await statusOf(shop(), first, "CANCELLED");
      await ended(shop(), second, "CONFIRMED", "COMPLETED");
    },
  },
  {
    name: "refunded-by-an-operator",
    note: "An operator refunds a paid order that has not left the house: it is cancelled, and its stock goes back.",
    async play({ shop }) {
      const { order } = await place(shop(), [plenty]);
      await ended(shop(), order, "CONFIRMED", "COMPLETED");
      await shop().call("POST", `/v1/payments/${order.id}:refund`, { reason: "the parcel was damaged" });
      await ended(shop(), order, "CANCELLED", "REFUNDED");
    },
  },
  {
    name: "shipped-and-delivered",
    note: "A paid order is shipped and delivered.",
    async play({ shop }) {
      const { order } = await place(shop(), [plenty]);
      await ended(shop(), order, "CONFIRMED", "COMPLETED");
      for (const status of ["SHIPPED", "DELIVERED"]) {
        await shop().call("PUT", `/v1/orders/${order.id}/status`, { status: `ORDER_STATUS_${status}` });
        await statusOf(shop(), order, status);
      }
    },
  },
  {
    name: "user-created-updated-deleted",
    note: "An account is created, gets another address, and is deleted.",
    async play({ shop }) {
      const user = await shop().createUser("Ada Lovelace");
      const email = `countess.${user.id.slice(0, 8)}@example.com`;
      await shop().call("PATCH", `/v1/users/${user.id}?updateMask=email`, { email });
      await shop().call("DELETE", `/v1/users/${user.id}`);
    },
  },
  {
    name: "two-orders-of-one-user",
    note: "A customer places two orders at once, and cancels one of them when both are confirmed.",
    async play({ shop }) {
      const user = await shop().createUser("Grace Hopper");
      const [one, two] = await Promise.all([
        orderFor(shop(), user.id, [plenty]),
        orderFor(shop(), user.id, ["filter-papers"]),
      ]);
      for (const order of [one, two]) await ended(shop(), order, "CONFIRMED", "COMPLETED");
      await shop().cancel(two.id);
      await ended(shop(), two, "CANCELLED", "REFUNDED");
    },
  },
];

interface Wishes {
  readonly quantity?: number;
  readonly token?: string;
}

/** An order of a new customer. */
async function place(shop: Shop, products: readonly string[], wishes: Wishes = {}) {
  const user = await shop.createUser("Ada Lovelace");
  return { user, order: await orderFor(shop, user.id, products, wishes) };
}

async function orderFor(shop: Shop, userId: string, products: readonly string[], { quantity = 1, token }: Wishes = {}) {
  const items = products.map((productId) => ({ productId, quantity }));
  const { status, text, body } = await shop.order(userId, items, token === undefined ? {} : { token });
  if (status !== 200) throw new Error(`no order was placed: HTTP ${status}: ${text}`);
  return body.order;
}

function statusOf(shop: Shop, { id }: OrderJson, status: string): Promise<true> {
  return until(`order ${id} ${status}`, async () =>
    (await shop.getOrder(id)).status === `ORDER_STATUS_${status}` ? true : undefined,
  );
}

/** Waits for what becomes of an order and of its payment. */
async function ended(shop: Shop, order: OrderJson, status: string, payment: string): Promise<void> {
  await statusOf(shop, order, status);
  await until(
    `the payment of ${order.id} ${payment}`,
    async () => ((await shop.paymentStatus(order.id)) === `PAYMENT_STATUS_${payment}` ? true : undefined),
    60_000,
  );
}

/** Does it while a service is killed, which `back` starts again. */
async function without(
  stack: Stack,
  service: string,
  work: (back: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await stack.service(service).kill("SIGKILL");
  await work(() => stack.service(service).start());
}

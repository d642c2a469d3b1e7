import type { OrderJson, Shop } from "../../shop.ts";
import { until } from "../../until.ts";
import { settle, untilAnswered } from "./customer.ts";
import { cancelled, confirmed, delivered, shipped, type Wish } from "./wish.ts";

/** What is to become of an order, and what customer and operators do for it. */
export interface Fate {
  readonly name: string;
  /** How many of a hundred. */
  readonly share: number;
  readonly token: string;
  /** It asks for all that there is of a scarce product, as others do. */
  readonly scarce?: boolean;
  readonly ends: readonly string[];
  /** Whether it went this way. It may have ended otherwise, and well, where the crashes took longer than a time-out. */
  readonly isMeant: (order: OrderJson) => boolean;
  /**
   * How many of a hundred such orders go this way at least, in the full run and in the small one, whose orders have hardly a
   * moment without a crash. With fewer, something else is in their way.
   */
  readonly atLeast: readonly [full: number, small: number];
  /** What is done once it is placed; resolves when that is answered. */
  readonly follow?: (shop: () => Shop, wish: Wish, signal: AbortSignal) => Promise<number>;
}

/** Every way that an order can go. One that was to be paid may be cancelled where the crashes take longer than its time-out. */
export const fates: readonly Fate[] = [
  {
    name: "paid",
    share: 40,
    token: "tok_visa",
    ends: [confirmed, cancelled],
    isMeant: ({ status }) => status === confirmed,
    atLeast: [50, 20],
  },
  {
    name: "delivered",
    share: 12,
    token: "tok_visa",
    ends: [delivered, cancelled],
    follow: deliver,
    isMeant: ({ status }) => status === delivered,
    atLeast: [50, 20],
  },
  {
    name: "declined",
    share: 12,
    token: "tok_declined",
    ends: [cancelled],
    isMeant: isCancelledBecause("the payment failed"),
    atLeast: [50, 20],
  },
  {
    name: "cancelled by the customer",
    share: 14,
    token: "tok_visa",
    ends: [cancelled],
    follow: cancel,
    isMeant: isCancelledBecause("the customer changed their mind"),
    atLeast: [50, 20],
  },
  {
    name: "refunded by an operator",
    share: 12,
    token: "tok_visa",
    ends: [cancelled],
    follow: refund,
    isMeant: isCancelledBecause("refunded"),
    atLeast: [50, 20],
  },
  {
    // Declined too, so that its stock is there for the next one. That it is gone takes a crash in the right moment.
    name: "without stock",
    share: 8,
    token: "tok_declined",
    scarce: true,
    ends: [cancelled, "nowhere"],
    follow: waitForEnd,
    isMeant: isCancelledBecause("the stock is gone"),
    atLeast: [1, 0],
  },
  {
    name: "not paid in time",
    share: 2,
    token: "tok_slow",
    ends: [cancelled],
    isMeant: isCancelledBecause("did not arrive in time"),
    atLeast: [100, 100],
  },
];

/** One fate after the other, mixed evenly; those that want the same scarce product come together, twice in a hundred. */
const mixed = fates
  .flatMap((fate) =>
    Array.from({ length: fate.share }, (_, i) => ({
      fate,
      at: fate.scarce ? 0.25 + Math.round(i / fate.share) / 2 : (i + 0.5) / fate.share,
    })),
  )
  .toSorted((a, b) => a.at - b.at)
  .map(({ fate }) => fate);

/** The fate of the n-th order, from 0. */
export function fateOf(n: number): Fate {
  return mixed[n % mixed.length] as Fate;
}

function isCancelledBecause(words: string): Fate["isMeant"] {
  return ({ status, reason = "" }) => status === cancelled && reason.includes(words);
}

function cancel(shop: () => Shop, { orderId }: Wish, signal: AbortSignal): Promise<number> {
  return untilAnswered(`the cancellation of ${orderId}`, signal, async () => {
    const { status } = await shop().cancel(orderId as string);
    return status;
  });
}

async function deliver(shop: () => Shop, wish: Wish, signal: AbortSignal): Promise<number> {
  if (!(await isConfirmed(shop, wish))) return 0;
  let repeats = 0;
  for (const status of [shipped, delivered]) {
    repeats += await untilAnswered(`${status} of ${wish.orderId}`, signal, async () => {
      const answer = await shop().call("PUT", `/v1/orders/${wish.orderId}/status`, { status });
      return answer.status;
    });
  }
  return repeats;
}

async function refund(shop: () => Shop, wish: Wish, signal: AbortSignal): Promise<number> {
  if (!(await isConfirmed(shop, wish))) return 0;
  return untilAnswered(`the refund of ${wish.orderId}`, signal, async () => {
    const { status } = await shop().call("POST", `/v1/payments/${wish.orderId}:refund`, { reason: "out of kindness" });
    return status;
  });
}

/** Its end is known at once, so that there can be more such orders until one went its way. */
async function waitForEnd(shop: () => Shop, wish: Wish): Promise<number> {
  await settle(shop, wish);
  return 0;
}

/** Waits until the order is paid or will not be. */
function isConfirmed(shop: () => Shop, { orderId }: Wish): Promise<boolean> {
  const decided = async (): Promise<boolean | undefined> => {
    const order = await shop()
      .getOrder(orderId as string)
      .catch(() => undefined);
    return order === undefined || order.status === "ORDER_STATUS_PENDING" ? undefined : order.status === confirmed;
  };
  return until(`the payment of order ${orderId}`, decided, 120_000);
}

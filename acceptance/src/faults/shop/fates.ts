import type { Shop } from "../../shop.ts";
import { until } from "../../until.ts";
import { untilAnswered } from "./customer.ts";
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
  /** What is done once it is placed; resolves when that is answered. */
  readonly follow?: (shop: () => Shop, wish: Wish, signal: AbortSignal) => Promise<number>;
}

/** Every way that an order can go. One that was to be paid may be cancelled where the crashes take longer than its time-out. */
export const fates: readonly Fate[] = [
  { name: "paid", share: 40, token: "tok_visa", ends: [confirmed, cancelled] },
  { name: "delivered", share: 12, token: "tok_visa", ends: [delivered, cancelled], follow: deliver },
  { name: "declined", share: 12, token: "tok_declined", ends: [cancelled] },
  { name: "cancelled by the customer", share: 14, token: "tok_visa", ends: [cancelled], follow: cancel },
  { name: "refunded by an operator", share: 12, token: "tok_visa", ends: [cancelled], follow: refund },
  // Declined too, so that its stock is there for the next one.
  { name: "without stock", share: 8, token: "tok_declined", scarce: true, ends: [cancelled, "nowhere"] },
  { name: "not paid in time", share: 2, token: "tok_slow", ends: [cancelled] },
];

/** Fates for so many orders, mixed evenly; those that want the same scarce product come together, twice in a hundred. */
export function drawFates(orders: number): readonly Fate[] {
  const deck = fates.flatMap((fate) =>
    Array.from({ length: fate.share }, (_, i) => ({
      fate,
      at: fate.scarce ? 0.25 + Math.round(i / fate.share) / 2 : (i + 0.5) / fate.share,
    })),
  );
  const mixed = deck.toSorted((a, b) => a.at - b.at).map(({ fate }) => fate);
  return Array.from({ length: orders }, (_, i) => mixed[i % mixed.length] as Fate);
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

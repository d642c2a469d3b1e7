import { setTimeout as sleep } from "node:timers/promises";
import type { Shop } from "../../shop.ts";
import { until } from "../../until.ts";
import type { Wish } from "./wish.ts";

/** Repeats one key until the shop answers; returns how many repeats it took. */
export function place(shop: () => Shop, wish: Wish, signal: AbortSignal): Promise<number> {
  return untilAnswered(`key ${wish.key}`, signal, async () => {
    const { status, body } = await shop().order(wish.userId, wish.items, { token: wish.token, key: wish.key });
    if (status === 200) wish.orderId = body.order.id;
    return status;
  });
}

/** Cancels the order when its time has come, if the customer means to; whatever became of it until then. */
export async function reconsider(
  shop: () => Shop,
  { orderId, cancelAfterMs }: Wish,
  signal: AbortSignal,
): Promise<number> {
  if (orderId === undefined || cancelAfterMs === undefined) return 0;
  await sleep(cancelAfterMs, undefined, { signal });
  return untilAnswered(`the cancellation of ${orderId}`, signal, async () => {
    const { status } = await shop().cancel(orderId);
    // Refused for good: the audit finds an order that isn't cancelled.
    return status === 400 || status === 404 ? 200 : status;
  });
}

/** Waits for the end of the wish's order. */
export async function settle(shop: () => Shop, wish: Wish): Promise<void> {
  wish.final = await until(
    `the end of order ${wish.orderId}`,
    async () => {
      const order = await shop()
        .getOrder(wish.orderId as string)
        .catch(() => undefined);
      return order === undefined || order.status === "ORDER_STATUS_PENDING" ? undefined : order;
    },
    120_000,
  );
}

/** Asks again until the status is 200; returns how many repeats that took. */
export async function untilAnswered(what: string, signal: AbortSignal, ask: () => Promise<number>): Promise<number> {
  for (let repeats = 0; ; repeats++) {
    signal.throwIfAborted();
    if (repeats > 2_000) throw new Error(`the shop never answered for ${what}`);
    // Undefined when the gateway itself is away.
    if ((await ask().catch(() => undefined)) === 200) return repeats;
    await sleep(50, undefined, { signal });
  }
}

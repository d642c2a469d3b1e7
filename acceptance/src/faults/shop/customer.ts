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
    return status;
  });
}

/** Waits until the wish's order is in a status in which it may end, or for so long that it never will be. */
export async function settle(shop: () => Shop, wish: Wish): Promise<void> {
  const { orderId, ends } = wish;
  if (orderId === undefined) return;
  const ended = async (): Promise<true | undefined> => {
    wish.final = await shop()
      .getOrder(orderId)
      .catch(() => wish.final);
    return wish.final && ends.includes(wish.final.status) ? true : undefined;
  };
  // One that never ends as it should is the audit's to find.
  await until(`the end of order ${orderId}`, ended, 120_000).catch(() => undefined);
}

/**
 * Asks again until the shop answers, be it that it refuses for good: then the audit finds what is missing. Returns how many
 * repeats that took.
 */
export async function untilAnswered(what: string, signal: AbortSignal, ask: () => Promise<number>): Promise<number> {
  let last = "";
  for (let repeats = 0; ; repeats++) {
    signal.throwIfAborted();
    if (repeats > 3_000) throw new Error(`the shop never answered for ${what}: ${last}`);
    // It rejects when the gateway itself is away.
    const answer = await ask().catch((error: unknown) => error);
    if (answer === 200 || answer === 400 || answer === 404) return repeats;
    last = typeof answer === "number" ? `HTTP ${answer}` : String(answer);
    await sleep(100, undefined, { signal });
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { ProductJson, Shop } from "../../shop.ts";
import { place, untilAnswered } from "./customer.ts";
import { type Fate, fateOf } from "./fates.ts";
import type { Wish } from "./wish.ts";

/** An order that somebody wished for, and what is to become of it. */
export interface FatedOrder {
  readonly fate: Fate;
  readonly wish: Wish;
}

/** Customers who place one order after the other. */
export interface Customers {
  /** Each order that was begun. */
  readonly orders: readonly FatedOrder[];
  /** Places the n-th order, from 0, and does what its fate asks for; returns how many repeats that took. */
  order(n: number): Promise<number>;
}

/** One customer comes for so many orders. */
const ordersEach = 5;

export function createCustomers(shop: () => Shop, shelf: readonly ProductJson[], signal: AbortSignal): Customers {
  const plenty = shelf.filter(({ stock = 0 }) => stock >= 10_000);
  const scarce = shelf.find(({ stock = 0 }) => stock > 0 && stock < 100);
  const people: Promise<Person>[] = [];
  const orders: FatedOrder[] = [];
  return {
    orders,
    async order(n) {
      const fate = fateOf(n);
      const product = fate.scarce ? scarce : plenty[n % plenty.length];
      if (!product) throw new Error("no products");
      const who = Math.floor(n / ordersEach);
      people[who] ??= signUp(shop, who, signal);
      const { id: userId, email } = await people[who];
      const wish: Wish = {
        key: crypto.randomUUID(),
        userId,
        email,
        items: [{ productId: product.id, quantity: fate.scarce ? (product.stock ?? 0) : 1 + (n % 3) }],
        token: fate.token,
        ends: fate.ends,
        cancelAfterMs: undefined,
        orderId: undefined,
        final: undefined,
      };
      orders.push({ fate, wish });
      let repeats = await place(shop, wish, signal);
      for (let tries = 0; fate.scarce && wish.orderId === undefined && tries < 40; tries++) {
        await sleep(100, undefined, { signal });
        repeats += await place(shop, wish, signal);
      }
      if (wish.orderId !== undefined) repeats += (await fate.follow?.(shop, wish, signal)) ?? 0;
      return repeats;
    },
  };
}

interface Person {
  readonly id: string;
  readonly email: string;
}

async function signUp(shop: () => Shop, n: number, signal: AbortSignal): Promise<Person> {
  const [key, email] = [crypto.randomUUID(), `customer-${n}@example.com`];
  let id = "";
  await untilAnswered(`the account of ${email}`, signal, async () => {
    const headers = { "idempotency-key": key };
    const answer = await shop().call<{ user: { id: string } }>("POST", "/v1/users", { name: "Ada", email }, headers);
    if (answer.status === 200) id = answer.body.user.id;
    return answer.status;
  });
  return { id, email };
}

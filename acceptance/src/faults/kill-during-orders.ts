import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@weft/devstack";
import { type Shop, shopOf } from "../shop.ts";
import { until } from "../until.ts";
import { auditBooks } from "./books.ts";
import type { Wish } from "./wish.ts";

export type Victim = "user" | "inventory" | "order" | "payment" | "notification" | "gateway" | "nats";

export interface KillOptions {
  readonly orders: number;
  readonly victims: readonly Victim[];
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface Report {
  readonly figures: Readonly<Record<string, number | string>>;
  /** Promises that were broken; empty when all hold. */
  readonly violations: readonly string[];
}

const customers = 10;
const inFlight = 8;
/** Who cancels does so within this: before the charge, during it, or when the order is confirmed already. */
const thinkingMs = 1_000;

/**
 * Customers place orders, each under a key that they repeat until they get an answer, and cancel some of them, while every
 * victim in turn is killed with -9 and started again. Then every order must have ended, and stock, reservations,
 * payments, refunds and mails must agree.
 */
export async function killDuringOrders(stack: Stack, options: KillOptions): Promise<Report> {
  const { say, signal, random } = options;
  const shop = () => shopOf({ env: stack.env, services: addressesOf(stack) });
  const stockBefore = await shop().products();
  const people = await Promise.all(Array.from({ length: customers }, (_, i) => shop().createUser(`Customer ${i}`)));
  const shelf = stockBefore.toSorted((a, b) => (b.stock ?? 0) - (a.stock ?? 0)).slice(0, 3);
  const wishes: Wish[] = Array.from({ length: options.orders }, (_, i) => {
    const person = people[i % people.length];
    const product = shelf[i % shelf.length];
    if (!person || !product) throw new Error("no customers or no products");
    const items = [{ productId: product.id, quantity: 1 + (i % 3) }];
    const token = i % 7 === 3 ? "tok_declined" : "tok_visa";
    return {
      key: crypto.randomUUID(),
      userId: person.id,
      email: person.email,
      items,
      token,
      // Of 63 orders in a row 7 are cancelled, one of them declined as well.
      cancelAfterMs: i % 9 === 4 ? Math.floor(random() * thinkingMs) : undefined,
      orderId: undefined,
      final: undefined,
    };
  });

  let placed = 0;
  let repeats = 0;
  const downtimes: Record<string, string> = {};
  for (const [i, victim] of options.victims.entries()) {
    const batch = wishes.filter((_, at) => at % options.victims.length === i);
    const half = placed + Math.floor(batch.length / 2);
    const customer = async (): Promise<void> => {
      for (let wish = batch.shift(); wish; wish = batch.shift()) {
        repeats += await place(shop, wish, signal);
        placed += 1;
        repeats += await reconsider(shop, wish, signal);
      }
    };
    const placing = Promise.all(Array.from({ length: inFlight }, customer));
    await until(`order ${half}`, () => (placed >= half ? true : undefined), 120_000);
    say(`faults: kill -9 ${victim} at order ${placed}`);
    const startedAt = performance.now();
    await killAndStart(stack, victim);
    downtimes[`${victim} killed and back, ms`] = (performance.now() - startedAt).toFixed(0);
    await placing;
  }
  say(`faults: ${placed} orders placed; waiting for each to end`);
  const settlingFrom = performance.now();
  await Promise.all(wishes.map((wish) => settle(shop, wish)));
  const settled = performance.now() - settlingFrom;
  const audit = await auditBooks(shop(), wishes, stockBefore);
  return {
    figures: {
      orders: wishes.length,
      "customers' repeats": repeats,
      ...downtimes,
      "last order to its end, ms": settled.toFixed(0),
      ...audit.figures,
    },
    violations: audit.violations,
  };
}

/** Repeats one key until the shop answers; returns how many repeats it took. */
function place(shop: () => Shop, wish: Wish, signal: AbortSignal): Promise<number> {
  return untilAnswered(`key ${wish.key}`, signal, async () => {
    const { status, body } = await shop().order(wish.userId, wish.items, { token: wish.token, key: wish.key });
    if (status === 200) wish.orderId = body.order.id;
    return status;
  });
}

/** Cancels the order when its time has come, if the customer means to; whatever became of it until then. */
async function reconsider(shop: () => Shop, { orderId, cancelAfterMs }: Wish, signal: AbortSignal): Promise<number> {
  if (orderId === undefined || cancelAfterMs === undefined) return 0;
  await sleep(cancelAfterMs, undefined, { signal });
  return untilAnswered(`the cancellation of ${orderId}`, signal, async () => {
    const { status } = await shop().cancel(orderId);
    // Refused for good: the audit finds an order that isn't cancelled.
    return status === 400 || status === 404 ? 200 : status;
  });
}

/** Asks again until the status is 200; returns how many repeats that took. */
async function untilAnswered(what: string, signal: AbortSignal, ask: () => Promise<number>): Promise<number> {
  for (let repeats = 0; ; repeats++) {
    signal.throwIfAborted();
    if (repeats > 2_000) throw new Error(`the shop never answered for ${what}`);
    // Undefined when the gateway itself is away.
    if ((await ask().catch(() => undefined)) === 200) return repeats;
    await sleep(50, undefined, { signal });
  }
}

async function settle(shop: () => Shop, wish: Wish): Promise<void> {
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

async function killAndStart(stack: Stack, victim: Victim): Promise<void> {
  const process = victim === "nats" ? stack.infrastructure.nats : stack.service(victim);
  await process.kill("SIGKILL");
  await process.start();
}

function addressesOf(stack: Stack): Parameters<typeof shopOf>[0]["services"] {
  return Object.fromEntries(
    stack.services.map(({ name, pid, state, addresses, databaseUrl }) => [
      name,
      { pid, state, addresses, databaseUrl },
    ]),
  );
}

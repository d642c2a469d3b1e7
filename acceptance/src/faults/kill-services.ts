import type { Stack } from "@weft/devstack";
import { inLanes } from "../in-lanes.ts";
import type { ProductJson } from "../shop.ts";
import { until } from "../until.ts";
import type { Ground, Row } from "./runner/row.ts";
import { auditBooks } from "./shop/books.ts";
import { place, reconsider, settle } from "./shop/customer.ts";
import { type OpenShop, openShop } from "./shop/open-shop.ts";
import { cancelled, confirmed, type Wish } from "./shop/wish.ts";

const victims = ["user", "inventory", "order", "payment", "notification", "gateway", "nats"] as const;
type Victim = (typeof victims)[number];

const customers = 10;
const inFlight = 8;
/** Who cancels does so within this: before the charge, during it, or when the order is confirmed already. */
const thinkingMs = 1_000;

/**
 * Customers place orders, each under a key that they repeat until they get an answer, and cancel some of them, while every
 * victim in turn is killed with -9 and started again. Then every order must have ended, and stock, reservations,
 * payments, refunds and mails must agree.
 */
export const killServices: Row = {
  name: "kill-services",
  claim: "kill -9 of each service and of NATS during orders: the books agree to the unit",
  minutes: 10,
  async run(ground) {
    const { findings, say, signal } = ground;
    const shop = await openShop(ground);
    const shelf = await shop.now().products();
    const wishes = await wishesOf(shop, shelf, ground);

    let placed = 0;
    let repeats = 0;
    for (const [i, victim] of victims.entries()) {
      const batch = wishes.filter((_, at) => at % victims.length === i);
      const half = placed + Math.floor(batch.length / 2);
      const placing = inLanes(batch, inFlight, async (wish) => {
        repeats += await place(shop.now, wish, signal);
        placed += 1;
        repeats += await reconsider(shop.now, wish, signal);
      });
      // Awaited after the kill: what it fails with meanwhile is told then.
      placing.catch(() => undefined);
      await until(`order ${half}`, () => (placed >= half ? true : undefined), 120_000);
      say(`kill -9 ${victim} at order ${placed}`);
      const startedAt = performance.now();
      await killAndStart(shop.stack, victim);
      findings.figure(`${victim} killed and back, ms`, Math.round(performance.now() - startedAt));
      await placing;
    }
    say(`${placed} orders placed; waiting for each to end`);
    const settlingFrom = performance.now();
    await Promise.all(wishes.map((wish) => settle(shop.now, wish)));
    findings.figure("orders", wishes.length);
    findings.figure("customers' repeats", repeats);
    findings.figure("last order to its end, ms", Math.round(performance.now() - settlingFrom));
    await auditBooks(shop.now(), wishes, shelf, findings);
  },
};

async function wishesOf(shop: OpenShop, products: readonly ProductJson[], ground: Ground): Promise<readonly Wish[]> {
  const people = await Promise.all(Array.from({ length: customers }, (_, i) => shop.now().createUser(`Customer ${i}`)));
  const shelf = products.toSorted((a, b) => (b.stock ?? 0) - (a.stock ?? 0)).slice(0, 3);
  return Array.from({ length: ground.size(200, 70) }, (_, i) => {
    const person = people[i % people.length];
    const product = shelf[i % shelf.length];
    if (!person || !product) throw new Error("no customers or no products");
    // Of 63 orders in a row 7 are cancelled, one of them declined as well.
    const cancelAfterMs = i % 9 === 4 ? Math.floor(ground.random() * thinkingMs) : undefined;
    const isDeclined = i % 7 === 3;
    return {
      key: crypto.randomUUID(),
      userId: person.id,
      email: person.email,
      items: [{ productId: product.id, quantity: 1 + (i % 3) }],
      token: isDeclined ? "tok_declined" : "tok_visa",
      ends: isDeclined || cancelAfterMs !== undefined ? [cancelled] : [confirmed, cancelled],
      cancelAfterMs,
      orderId: undefined,
      final: undefined,
    };
  });
}

async function killAndStart(stack: Stack, victim: Victim): Promise<void> {
  const process = victim === "nats" ? stack.infrastructure.nats : stack.service(victim);
  await process.kill("SIGKILL");
  await process.start();
}

import { inLanes } from "../../in-lanes.ts";
import type { ProductJson, Shop } from "../../shop.ts";
import { until } from "../../until.ts";
import type { Findings } from "../runner/findings.ts";
import { type OrderHistory, wrongLetters } from "./letters.ts";
import { wrongMoney } from "./money.ts";
import { cancelled, confirmed, delivered, type EndedOrder, isSold, type Wish } from "./wish.ts";

/** What is owed after an order's end is done within this. */
const patienceMs = 60_000;

/** Orders that are looked at at once. */
const atOnce = 24;

/** Payments that nothing more happens to. */
const settledPayments: readonly string[] = [
  "PAYMENT_STATUS_COMPLETED",
  "PAYMENT_STATUS_FAILED",
  "PAYMENT_STATUS_REFUNDED",
  "PAYMENT_STATUS_CANCELLED",
];

/** Compares what the orders say with payments, stock, reservations, the mailbox and the provider's books. */
export async function auditBooks(
  shop: Shop,
  wishes: readonly Wish[],
  stockBefore: readonly ProductJson[],
  findings: Findings,
): Promise<void> {
  const orders = wishes.flatMap(({ orderId, final, email, items }): EndedOrder[] =>
    orderId !== undefined && final !== undefined ? [{ id: orderId, email, items, final }] : [],
  );
  const ends = wrongEnds(wishes, orders);
  const payments = await paymentsOf(shop, orders);
  const stock = await wrongStock(shop, orders, stockBefore);
  const letters = await lettersOf(shop, orders, payments.statuses);
  // Last, so that a charge that came after all else is seen.
  const money = await untilRight(async () => {
    const [charges, refunds] = await Promise.all([shop.charges(), shop.refunds()]);
    return wrongMoney(orders, { charges, refunds });
  });
  const [charges, refunds] = await Promise.all([shop.charges(), shop.refunds()]);
  const count = (status: string): number => orders.filter(({ final }) => final.status === status).length;
  findings.figure("orders CONFIRMED", count(confirmed));
  findings.figure("orders DELIVERED", count(delivered));
  findings.figure("orders CANCELLED", count(cancelled));
  findings.figure(
    "orders CANCELLED once CONFIRMED",
    orders.filter(({ final }) => final.status === cancelled && final.version > 2).length,
  );
  findings.figure("charges", charges.filter(({ status }) => status === "succeeded").length);
  findings.figure("refunds", refunds.length);
  findings.figure("distinct Message-IDs", letters.distinct);
  findings.figure("raw mails", letters.raw);
  const wrong = [...ends, ...payments.violations, ...stock, ...letters.violations, ...money];
  for (const text of wrong) findings.violation(text);
  findings.count("books that disagree", wrong.length, 0);
}

function wrongEnds(wishes: readonly Wish[], orders: readonly EndedOrder[]): readonly string[] {
  const wrong: string[] = [];
  const distinct = new Set(orders.map(({ id }) => id)).size;
  if (distinct !== orders.length) wrong.push(`distinct orders that ended: ${distinct} instead of ${orders.length}`);
  for (const { key, orderId, final, ends } of wishes) {
    const status = final?.status ?? "nowhere";
    if (!ends.includes(status)) wrong.push(`order ${orderId ?? key} ended ${status} instead of ${ends.join(" or ")}`);
  }
  return wrong;
}

/** How each order's payment ended. */
async function paymentsOf(shop: Shop, orders: readonly EndedOrder[]) {
  const statuses = new Map<string, string>();
  const violations: string[] = [];
  await inLanes(orders, atOnce, async ({ id, final }) => {
    let status: string | undefined;
    const settled = async (): Promise<true | undefined> => {
      status = await shop.paymentStatus(id).catch(() => undefined);
      const fits = isSold(final.status) === (status === "PAYMENT_STATUS_COMPLETED");
      return fits && status !== undefined && settledPayments.includes(status) ? true : undefined;
    };
    await until(`the payment of ${id}`, settled, patienceMs).catch(() => {
      violations.push(`order ${id} is ${final.status}, and its payment ${status ?? "unknown"}`);
    });
    statuses.set(id, status ?? "");
  });
  return { statuses, violations };
}

async function wrongStock(
  shop: Shop,
  orders: readonly EndedOrder[],
  stockBefore: readonly ProductJson[],
): Promise<readonly string[]> {
  const sold = new Map<string, number>();
  for (const { items, final } of orders) {
    if (!isSold(final.status)) continue;
    for (const { productId, quantity } of items) sold.set(productId, (sold.get(productId) ?? 0) + quantity);
  }
  const wrongOf = async (before: ProductJson): Promise<readonly string[]> => {
    const now = await shop.product(before.id);
    const compare = (what: string, seen = 0, wanted = 0): readonly string[] =>
      seen === wanted ? [] : [`${what} of ${before.id}: ${seen} instead of ${wanted}`];
    return [
      ...compare("stock", now.stock, (before.stock ?? 0) - (sold.get(before.id) ?? 0)),
      ...compare("units reserved", now.reserved, before.reserved),
    ];
  };
  return (await Promise.all(stockBefore.map((before) => untilRight(() => wrongOf(before))))).flat();
}

async function lettersOf(shop: Shop, orders: readonly EndedOrder[], payments: ReadonlyMap<string, string>) {
  const people = Map.groupBy(orders, ({ email }) => email);
  const histories = (of: readonly EndedOrder[]): readonly OrderHistory[] =>
    of.map(({ id, final: { status, version } }) => ({ id, status, version, paymentStatus: payments.get(id) ?? "" }));
  const wrong = await Promise.all(
    [...people].map(([email, of]) => untilRight(async () => wrongLetters(histories(of), await shop.mails(email)))),
  );
  const mails = (await Promise.all([...people.keys()].map((email) => shop.mails(email)))).flat();
  const distinct = new Set(mails.map(({ messageId }) => messageId)).size;
  return { violations: wrong.flat(), distinct, raw: mails.length };
}

/** What is still wrong after as much time as may pass until nothing is. */
async function untilRight(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let wrong: readonly string[] = [];
  const right = async (): Promise<true | undefined> => {
    wrong = await look().catch((error: unknown) => [String(error)]);
    return wrong.length === 0 ? true : undefined;
  };
  return until("the books", right, patienceMs).then(
    () => [],
    () => wrong,
  );
}

import type { ProductJson, Shop } from "../shop.ts";
import { until } from "../until.ts";
import type { Wish } from "./wish.ts";

export interface Audit {
  readonly figures: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

/** Compares what the orders say with stock, reservations, the provider's books and the mailbox. */
export async function auditBooks(
  shop: Shop,
  wishes: readonly Wish[],
  stockBefore: readonly ProductJson[],
): Promise<Audit> {
  const violations: string[] = [];
  const confirmed = wishes.filter(({ final }) => final?.status === "ORDER_STATUS_CONFIRMED");
  const cancelled = wishes.filter(({ final }) => final?.status === "ORDER_STATUS_CANCELLED");
  expectEqual("orders that ended CONFIRMED or CANCELLED", confirmed.length + cancelled.length, wishes.length);
  expectEqual("distinct orders", new Set(wishes.map(({ orderId }) => orderId)).size, wishes.length);
  await stock();
  const charges = await payments();
  const mails = await letters();
  return {
    figures: {
      "orders CONFIRMED": confirmed.length,
      "orders CANCELLED": cancelled.length,
      charges,
      ...mails,
      violations: violations.length,
    },
    violations,
  };

  function expectEqual(what: string, seen: number, wanted: number): void {
    if (seen !== wanted) violations.push(`${what}: ${seen} instead of ${wanted}`);
  }

  async function stock(): Promise<void> {
    const sold = new Map<string, number>();
    for (const { items } of confirmed) {
      for (const { productId, quantity } of items) sold.set(productId, (sold.get(productId) ?? 0) + quantity);
    }
    for (const before of stockBefore) {
      const wanted = (before.stock ?? 0) - (sold.get(before.id) ?? 0);
      const after = await until(
        `the stock of ${before.id}`,
        async () => {
          const now = await shop.product(before.id);
          return (now.reserved ?? 0) === (before.reserved ?? 0) && (now.stock ?? 0) === wanted ? now : undefined;
        },
        60_000,
      ).catch(() => shop.product(before.id));
      expectEqual(`stock of ${before.id}`, after.stock ?? 0, wanted);
      expectEqual(`units of ${before.id} still reserved`, after.reserved ?? 0, before.reserved ?? 0);
    }
  }

  async function payments(): Promise<number> {
    const [charges, refunds] = await Promise.all([shop.charges(), shop.refunds()]);
    const kept = charges.filter(
      ({ order_id, status }) => status !== "declined" && !refunds.some((refund) => refund.order_id === order_id),
    );
    const byOrder = new Map<string, number>();
    for (const { order_id } of kept) byOrder.set(order_id, (byOrder.get(order_id) ?? 0) + 1);
    for (const { orderId } of confirmed)
      expectEqual(`charges of confirmed order ${orderId}`, byOrder.get(orderId as string) ?? 0, 1);
    for (const { orderId } of cancelled)
      expectEqual(`charges kept of cancelled order ${orderId}`, byOrder.get(orderId as string) ?? 0, 0);
    const owed = confirmed.reduce((sum, { final }) => sum + Number(final?.total.minorUnits ?? 0), 0);
    expectEqual(
      "money taken, in minor units",
      kept.reduce((sum, { amount_minor }) => sum + amount_minor, 0),
      owed,
    );
    return kept.length;
  }

  /** Welcome; order; status; and a receipt for each order that was paid. */
  async function letters(): Promise<Record<string, number>> {
    const people = new Set(wishes.map(({ email }) => email));
    const owed = people.size + wishes.length * 2 + confirmed.length;
    const distinct = async (): Promise<{ ids: Set<string>; raw: number }> => {
      const mails = (await Promise.all([...people].map((email) => shop.mails(email)))).flat();
      return { ids: new Set(mails.map(({ messageId }) => messageId)), raw: mails.length };
    };
    const found = await until(
      "the mails",
      async () => {
        const now = await distinct();
        return now.ids.size >= owed ? now : undefined;
      },
      60_000,
    ).catch(distinct);
    expectEqual("distinct Message-IDs in the mailbox", found.ids.size, owed);
    return { "mails owed": owed, "distinct Message-IDs": found.ids.size, "raw mails": found.raw };
  }
}

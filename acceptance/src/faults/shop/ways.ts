import type { Ground } from "../runner/row.ts";
import { fates } from "./fates.ts";
import type { FatedOrder } from "./orders.ts";

/** Whether an order that asked for scarce stock lost it: that takes a crash in the right moment, and is known when it has ended. */
export function stockWasGone(orders: readonly FatedOrder[]): boolean {
  return orders.some(({ fate, wish: { final } }) => fate.scarce && final && fate.isMeant(final));
}

/**
 * Tells how many orders of each fate went its way, and fails the run where they are too few: the books of a shop that
 * cancels whatever comes agree too.
 */
export function auditWays(orders: readonly FatedOrder[], { findings, size }: Pick<Ground, "findings" | "size">): void {
  for (const { name, atLeast, isMeant } of fates) {
    const all = orders.filter(({ fate }) => fate.name === name);
    const meant = all.filter(({ wish: { final } }) => final && isMeant(final));
    findings.atLeast(
      `${name}, of ${all.length} orders`,
      meant.length,
      Math.floor((all.length * size(...atLeast)) / 100),
    );
  }
}

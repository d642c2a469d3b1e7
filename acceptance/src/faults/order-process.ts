import { inLanes } from "../in-lanes.ts";
import type { Row } from "./runner/row.ts";
import { auditBooks } from "./shop/books.ts";
import { createCrashPlan } from "./shop/crash-plan.ts";
import { openCrashingShop } from "./shop/crashing-shop.ts";
import { settle } from "./shop/customer.ts";
import { createCustomers } from "./shop/orders.ts";
import { auditWays, stockWasGone } from "./shop/ways.ts";

const inFlight = 24;
const env = {
  /** Short, so that it is over for an order whose event a crash holds up; then the stock is taken anew, where there is some. */
  RESERVATION_TTL_MS: "300",
  PAYMENT_TIMEOUT_MS: "25000",
  /** The provider charges when the order is cancelled already: that money has to go back. */
  SLOW_MS: "28000",
};

/**
 * Orders go every way that an order can go, while each service kills itself at one step of one event after the other and is
 * started again. Then every order must have ended as it should, and stock, payments, refunds and mails must agree.
 */
export const orderProcess: Row = {
  name: "order-process",
  claim: "each service crashes at each step of each event: all orders end, and the books agree to the unit",
  minutes: 45,
  async run(ground) {
    const { findings, size, say, signal, random } = ground;
    const plan = createCrashPlan({ farthest: size(30, 5), random });
    const shop = await openCrashingShop(ground, plan, env);
    const shelf = await shop.now().products();
    await shop.begin();

    const customers = createCustomers(shop.now, shelf, signal);
    let repeats = 0;
    const isDone = (): boolean => plan.left().length === 0 && stockWasGone(customers.orders);
    await inLanes(ordersUntil(size(2_000, 60), size(3_000, 60), isDone), inFlight, async (n) => {
      const more = await customers.order(n);
      repeats += more;
    });
    const wishes = customers.orders.map(({ wish }) => wish);
    say(`${wishes.length} orders placed; waiting for each to end`);
    await inLanes(wishes, inFlight, (wish) => settle(shop.now, wish));
    findings.figure("kills of gateway and order", await shop.end());

    const crashes = [...plan.crashes.values()].reduce((sum, count) => sum + count, 0);
    findings.figure("orders", wishes.length);
    findings.figure("customers' and operators' repeats", repeats);
    findings.figure("crashes", crashes);
    const least = size(plan.steps, 20);
    if (plan.crashes.size < least) say(`no crash ${plan.left().join(", ")}`);
    findings.atLeast("steps with a crash", plan.crashes.size, least);
    auditWays(customers.orders, ground);
    await auditBooks(shop.now(), wishes, shelf, findings);
  },
};

/** So many orders, and as many more as there must be until it is done, up to the most. */
function* ordersUntil(least: number, most: number, isDone: () => boolean): Generator<number> {
  for (let n = 0; n < least || (n < most && !isDone()); n++) yield n;
}

import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@weft/devstack";
import { inLanes } from "../in-lanes.ts";
import type { ProductJson, Shop } from "../shop.ts";
import type { Ground, Row } from "./runner/row.ts";
import { auditBooks } from "./shop/books.ts";
import { type CrashPlan, createCrashPlan } from "./shop/crash-plan.ts";
import { place, settle, untilAnswered } from "./shop/customer.ts";
import { drawFates } from "./shop/fates.ts";
import { type OpenShop, openShop } from "./shop/open-shop.ts";
import type { Wish } from "./shop/wish.ts";

const inFlight = 24;
/** Short, so that it is over for an order whose event a crash holds up; then the stock is taken anew, where there is some. */
const reservationTtlMs = 300;
const paymentTimeoutMs = 25_000;
/** How long a gateway lives. One that starts has no open circuits: they open for a minute when a peer is away, and here one always is. */
const gatewayLivesMs = 8_000;
/** The provider charges when the order is cancelled already: that money has to go back. */
const slowChargeMs = 28_000;

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
    const plan = createCrashPlan({ farthest: size(25, 5), random });
    const { shop, arm, disarm } = await openCrashingShop(ground, plan);
    const shelf = await shop.now().products();
    await arm();

    const orders = await wishesOf(shop.now, shelf, ground);
    let repeats = 0;
    const over = new AbortController();
    ground.atEnd(() => over.abort());
    const gateway = killAgainAndAgain(shop.stack.service("gateway"), AbortSignal.any([signal, over.signal]));
    gateway.catch(() => undefined);
    await inLanes(orders, inFlight, async ({ wish, fate }) => {
      repeats += await place(shop.now, wish, signal);
      for (let tries = 0; fate.scarce && wish.orderId === undefined && tries < 40; tries++) {
        await sleep(100, undefined, { signal });
        repeats += await place(shop.now, wish, signal);
      }
      if (wish.orderId !== undefined) repeats += (await fate.follow?.(shop.now, wish, signal)) ?? 0;
    });
    const wishes = orders.map(({ wish }) => wish);
    say(`${wishes.length} orders placed; waiting for each to end`);
    await inLanes(wishes, inFlight, (wish) => settle(shop.now, wish));
    over.abort();
    findings.figure("kills of the gateway", await gateway);
    await disarm();

    const crashes = [...plan.crashes.values()].reduce((sum, count) => sum + count, 0);
    findings.figure("orders", wishes.length);
    findings.figure("customers' and operators' repeats", repeats);
    findings.figure("crashes", crashes);
    findings.figure("steps with a crash", `${plan.crashes.size} of ${plan.steps}`);
    const reasons = wishes.map(({ final }) => final?.reason ?? "");
    const because = (words: RegExp): number => reasons.filter((reason) => words.test(reason)).length;
    findings.figure("orders CANCELLED since the stock was gone", because(/the stock is gone/));
    findings.figure("orders CANCELLED since nobody paid in time", because(/in time|timed out|not paid/));
    await auditBooks(shop.now(), wishes, shelf, findings);
  },
};

/** Resolves with how often it was killed, once the signal has aborted. */
async function killAgainAndAgain(service: RunningService, signal: AbortSignal): Promise<number> {
  for (let kills = 0; ; kills++) {
    await sleep(gatewayLivesMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return kills;
    await service.kill("SIGKILL");
    await service.start();
  }
}

interface CrashingShop {
  readonly shop: OpenShop;
  /** From now on each service crashes where the plan says, and is started again. */
  arm(): Promise<void>;
  /** The end of that: all services are started without a step to crash at. */
  disarm(): Promise<void>;
}

async function openCrashingShop(ground: Ground, plan: CrashPlan): Promise<CrashingShop> {
  let armed = false;
  let shop: OpenShop | undefined;
  const restart = async (): Promise<void> => {
    for (const name of plan.services) {
      await shop?.stack.service(name).kill("SIGKILL");
      await shop?.stack
        .service(name)
        .start()
        .catch(() => undefined);
    }
  };
  const opened = await openShop(ground, {
    env: {
      ...process.env,
      RESERVATION_TTL_MS: `${reservationTtlMs}`,
      PAYMENT_TIMEOUT_MS: `${paymentTimeoutMs}`,
      SLOW_MS: `${slowChargeMs}`,
    },
    startEnv: (service) => (armed ? plan.startEnv(service) : {}),
    onLine(service, line) {
      ground.onLine(service, line);
      // Who is killed says nothing.
      if (armed && line.includes('"msg":"stopping"')) ground.findings.violation(`${service} ended by itself: ${line}`);
    },
    onState(service, state) {
      if (state !== "crashed" || !armed) return;
      if (!plan.services.includes(service)) return ground.fail(`${service} ended by itself`);
      plan.crashed(service);
      // One that crashes before it is ready is told of here again.
      void shop?.stack
        .service(service)
        .start()
        .catch(() => undefined);
    },
  });
  shop = opened;
  ground.atEnd(() => {
    armed = false;
  });
  return {
    shop: opened,
    arm() {
      armed = true;
      return restart();
    },
    disarm() {
      armed = false;
      return restart();
    },
  };
}

async function wishesOf(shop: () => Shop, shelf: readonly ProductJson[], { size, signal }: Ground) {
  const plenty = shelf.filter(({ stock = 0 }) => stock >= 10_000);
  const scarce = shelf.find(({ stock = 0 }) => stock > 0 && stock < 100);
  const people = await Promise.all(Array.from({ length: size(40, 10) }, (_, i) => signUp(shop, i, signal)));
  return drawFates(size(2_000, 60)).map((fate, i) => {
    const person = people[i % people.length];
    const product = fate.scarce ? scarce : plenty[i % plenty.length];
    if (!person || !product) throw new Error("no customers or no products");
    const wish: Wish = {
      key: crypto.randomUUID(),
      userId: person.id,
      email: person.email,
      items: [{ productId: product.id, quantity: fate.scarce ? (product.stock ?? 0) : 1 + (i % 3) }],
      token: fate.token,
      ends: fate.ends,
      cancelAfterMs: undefined,
      orderId: undefined,
      final: undefined,
    };
    return { wish, fate };
  });
}

async function signUp(shop: () => Shop, i: number, signal: AbortSignal) {
  const [key, email] = [crypto.randomUUID(), `customer-${i}@example.com`];
  let id = "";
  await untilAnswered(`the account of ${email}`, signal, async () => {
    const headers = { "idempotency-key": key };
    const answer = await shop().call<{ user: { id: string } }>("POST", "/v1/users", { name: "Ada", email }, headers);
    if (answer.status === 200) id = answer.body.user.id;
    return answer.status;
  });
  return { id, email };
}

import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Stack, startStack } from "@weft/devstack";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Shop, shopOf } from "./shop.ts";
import { until } from "./until.ts";

const root = resolve(import.meta.dirname, "../..");
const product = "espresso-beans";
let stack: Stack;
let dataDir: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(root, ".weft-cancel-"));
  const { PATH, HOME } = process.env;
  stack = await startStack({ root, dataDir, ports: "free", restart: false, env: { PATH, HOME, LOG_LEVEL: "warn" } });
}, 90_000);

afterAll(async () => {
  await stack?.close();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

/** Services that come back are somewhere else. */
function shop(): Shop {
  const services = Object.fromEntries(stack.services.map((service) => [service.name, service]));
  return shopOf({ env: stack.env, services });
}

async function placed(userId: string): Promise<string> {
  const { status, body } = await shop().order(userId, [{ productId: product, quantity: 2 }]);
  expect(status).toBe(200);
  return body.order.id;
}

async function stock(): Promise<readonly [stock: number, reserved: number]> {
  const { stock = 0, reserved = 0 } = await shop().product(product);
  return [stock, reserved];
}

test("orders are cancelled at once while payment and inventory are dead, and made good when they are back", async () => {
  const before = await stock();
  const { id: userId } = await shop().createUser("Barbara Liskov");
  const paid = await placed(userId);
  await until("the confirmation", async () =>
    (await shop().getOrder(paid)).status === "ORDER_STATUS_CONFIRMED" ? true : undefined,
  );
  await stack.service("payment").kill("SIGKILL");
  const unpaid = await placed(userId);
  await stack.service("inventory").kill("SIGKILL");

  for (const id of [paid, unpaid]) {
    const askedAt = performance.now();
    const { body } = await shop().cancel(id);
    expect(body.order?.status).toBe("ORDER_STATUS_CANCELLED");
    expect(performance.now() - askedAt).toBeLessThan(2_000);
  }

  await Promise.all([stack.service("payment").start(), stack.service("inventory").start()]);
  const payments = () => Promise.all([paid, unpaid].map((id) => shop().paymentStatus(id)));
  const wanted = ["PAYMENT_STATUS_REFUNDED", "PAYMENT_STATUS_CANCELLED"];
  await until("the refund and the tombstone", async () =>
    (await payments()).join() === wanted.join() ? true : undefined,
  );
  await until("the stock", async () => ((await stock()).join() === before.join() ? true : undefined));
  const of = async (id: string) => [(await shop().charges(id)).length, (await shop().refunds(id)).length];
  expect(await of(paid)).toEqual([1, 1]);
  expect(await of(unpaid)).toEqual([0, 0]);
}, 60_000);

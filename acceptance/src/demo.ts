import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OrderService, OrderStatus } from "@shop/contracts/order";
import type { StackRecord } from "@weft/devstack";
import { type Shop, shopOf } from "./shop.ts";
import { until } from "./until.ts";

/** What the shop promises its customers, each shown against the running system. */
interface Fact {
  readonly fact: string;
  readonly ok: boolean;
  readonly seen: unknown;
}

const json = process.argv.includes("--json");
const root = resolve(import.meta.dirname, "../..");
const facts: Fact[] = [];

const record = readRecord();
const shop = shopOf(record);
const orders = createClient(
  OrderService,
  createGrpcTransport({ baseUrl: `http://${record.services.gateway?.addresses.grpc}` }),
);

try {
  await paidOrder();
  await declinedCard();
  await tooMany();
  await unknownUser();
  await sameKeyTwice();
  await cancelledWhilePaymentIsStopped();
} catch (error) {
  show("the demo went through", false, error instanceof Error ? error.message : error);
}
const failed = facts.filter(({ ok }) => !ok).length;
if (json) process.stdout.write(`${JSON.stringify({ ok: failed === 0, facts }, null, 2)}\n`);
else process.stdout.write(`\n${facts.length - failed} of ${facts.length} facts hold\n`);
process.exit(failed === 0 ? 0 : 1);

async function paidOrder(): Promise<void> {
  const user = await shop.createUser("Ada Lovelace");
  show("a customer signs up", true, user);
  const products = await shop.products();
  show(
    "the catalogue has products",
    products.length > 0,
    products.map(({ id, price }) => `${id} ${price.minorUnits} ${price.currencyCode}`),
  );
  const item = plentiful(products);
  const { body } = await shop.order(user.id, [{ productId: item.id, quantity: 2 }]);
  const placed = body.order;
  const expected = BigInt(item.price.minorUnits) * 2n;
  show("an order is placed, at the catalogue's prices", BigInt(placed.total.minorUnits) === expected, placed);

  const seen: string[] = [];
  for await (const { order } of orders.watchOrder({ orderId: placed.id }, { timeoutMs: 20_000 })) {
    seen.push(name(order?.status));
    if (order?.status !== OrderStatus.PENDING) break;
  }
  show("WatchOrder follows it to CONFIRMED", seen.at(-1) === "CONFIRMED", seen);
  const mails = await until("the mails", async () => {
    const found = await shop.mails(user.email);
    return found.length >= 4 ? found : undefined;
  });
  const ids = new Set(mails.map(({ messageId }) => messageId));
  show(
    "the mails arrived: welcome, order, status, receipt",
    ids.size === 4,
    mails.map(({ subject }) => subject),
  );
}

async function declinedCard(): Promise<void> {
  const user = await shop.createUser("Grace Hopper");
  const item = plentiful(await shop.products());
  const { body } = await shop.order(user.id, [{ productId: item.id, quantity: 1 }], { token: "tok_declined" });
  const order = await ended(body.order.id);
  show("a declined card ends CANCELLED", order.status === "ORDER_STATUS_CANCELLED", order);
  const free = (product: { stock?: number; reserved?: number }): number =>
    (product.stock ?? 0) - (product.reserved ?? 0);
  const before = free(item);
  const after = await until("the stock comes back", async () => {
    const now = free(await shop.product(item.id));
    return now === before ? now : undefined;
  });
  show("and its stock is back", after === before, { before, after });
}

async function tooMany(): Promise<void> {
  const user = await shop.createUser("Alan Turing");
  const item = plentiful(await shop.products());
  const { status, body } = await shop.order(user.id, [{ productId: item.id, quantity: 1_000_000 }]);
  const { error } = body;
  const ok = status === 400 && error.status === "FAILED_PRECONDITION" && error.message.includes(item.id);
  show("too large a quantity is FAILED_PRECONDITION and names the product", ok, error);
}

async function unknownUser(): Promise<void> {
  const item = plentiful(await shop.products());
  const nobody = "00000000-0000-4000-8000-000000000000";
  const { status, body } = await shop.order(nobody, [{ productId: item.id, quantity: 1 }]);
  show("an unknown user is NOT_FOUND", status === 404 && body.error.status === "NOT_FOUND", body.error);
}

async function sameKeyTwice(): Promise<void> {
  const user = await shop.createUser("Edsger Dijkstra");
  const item = plentiful(await shop.products());
  const key = crypto.randomUUID();
  const place = () => shop.order(user.id, [{ productId: item.id, quantity: 1 }], { key });
  const [first, second] = await Promise.all([place(), place()]);
  show(
    "the same idempotency key twice is one order, answered alike",
    first.text === second.text && first.status === 200,
    [first.body.order.id, second.body.order.id],
  );
  const list = await shop.call<{ orders: unknown[] }>("GET", `/v1/users/${user.id}/orders`);
  show("and the customer has one order", list.body.orders.length === 1, list.body.orders.length);
  await ended(first.body.order.id);
  const charges = await shop.charges(first.body.order.id);
  show("which was charged once", charges.length === 1, charges);
}

async function cancelledWhilePaymentIsStopped(): Promise<void> {
  const payment = record.services.payment?.pid;
  if (payment === undefined) throw new Error("the payment service is not running");
  const user = await shop.createUser("Barbara Liskov");
  const item = plentiful(await shop.products());
  process.kill(payment, "SIGSTOP");
  let orderId: string;
  try {
    const { body } = await shop.order(user.id, [{ productId: item.id, quantity: 1 }]);
    orderId = body.order.id;
    const cancelled = await shop.call<{ order: { status: string } }>("POST", `/v1/orders/${orderId}:cancel`, {
      reason: "changed my mind",
    });
    show(
      "an order is cancelled while payment is stopped",
      cancelled.body.order?.status === "ORDER_STATUS_CANCELLED",
      cancelled.body,
    );
  } finally {
    process.kill(payment, "SIGCONT");
  }
  const settled = await until(
    "payment knows of the cancel",
    async () => {
      const { body } = await shop.call<{ payment?: { status: string } }>("GET", `/v1/payments/${orderId}`);
      return body.payment && body.payment.status !== "PAYMENT_STATUS_PENDING" ? body.payment : undefined;
    },
    60_000,
  );
  const charges = await shop.charges(orderId);
  show("and is never charged later", settled.status === "PAYMENT_STATUS_CANCELLED" && charges.length === 0, {
    settled,
    charges,
  });
}

function ended(orderId: string) {
  return until(`order ${orderId} leaves PENDING`, async () => {
    const order = await shop.getOrder(orderId);
    return order.status === "ORDER_STATUS_PENDING" ? undefined : order;
  });
}

function plentiful(products: Awaited<ReturnType<Shop["products"]>>) {
  const [first] = products.toSorted((a, b) => (b.stock ?? 0) - (a.stock ?? 0));
  if (!first) throw new Error("the catalogue is empty");
  return first;
}

function name(status: OrderStatus | undefined): string {
  return Object.entries(OrderStatus).find(([, value]) => value === status)?.[0] ?? String(status);
}

function show(fact: string, ok: boolean, seen: unknown): void {
  facts.push({ fact, ok, seen });
  if (!json) process.stdout.write(`${ok ? "✓" : "✗"} ${fact}\n    ${JSON.stringify(seen)}\n`);
}

function readRecord(): StackRecord {
  try {
    return JSON.parse(readFileSync(join(root, ".weft", "dev.json"), "utf8")) as StackRecord;
  } catch {
    process.stderr.write("demo: nothing runs here: start `npm run dev` in another terminal and wait for its table\n");
    process.exit(1);
  }
}

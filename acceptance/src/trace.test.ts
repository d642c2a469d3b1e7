import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Stack, startStack } from "@weft/devstack";
import { type CollectedSpan, type Collector, startCollector } from "@weft/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shopOf } from "./shop.ts";

const root = resolve(import.meta.dirname, "../..");
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const caller = "00f067aa0ba902b7";
let collector: Collector;
let stack: Stack;
let dataDir: string;
let spans: readonly CollectedSpan[] = [];

/** Ends of the trace: each must be there before it is whole. */
const lastSpans = [
  ["order", "process shop.inventory.v1.StockCommitted"],
  ["payment", "process shop.order.v1.OrderStatusChanged"],
] as const;
const mailsOfAnOrder = 3;

beforeAll(async () => {
  collector = await startCollector();
  dataDir = mkdtempSync(join(root, ".weft-trace-"));
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "20" };
  stack = await startStack({ root, dataDir, ports: "free", restart: false, env });
  const services = Object.fromEntries(stack.services.map((service) => [service.name, service]));
  const shop = shopOf({ env: stack.env, services });
  const user = await shop.createUser("Ada Lovelace");
  const items = [{ productId: "espresso-beans", quantity: 1 }];
  const body = { userId: user.id, items, paymentToken: "tok_visa" };
  const { status } = await shop.call("POST", "/v1/orders", body, { traceparent: `00-${traceId}-${caller}-01` });
  expect(status).toBe(200);
  await collector.until(
    () => {
      const seen = collector.trace(traceId);
      const has = (service: string, name: string) =>
        seen.some((span) => span.service === service && span.name === name);
      const mails = seen.filter(({ name }) => name === "SMTP send").length;
      // Processes export at their own pace: a child can be here before its parent.
      const ids = new Set([caller, ...seen.map(({ spanId }) => spanId)]);
      const whole = seen.every(({ parentSpanId }) => ids.has(parentSpanId ?? ""));
      return whole && lastSpans.every(([service, name]) => has(service, name)) && mails === mailsOfAnOrder;
    },
    { timeoutMs: 30_000 },
  );
  spans = collector.trace(traceId);
}, 90_000);

afterAll(async () => {
  await stack?.close();
  await collector?.close();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

/** `service name` of the span and of each of its ancestors, nearest first. */
function wayUp(span: CollectedSpan): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [`${span.service} ${span.name}`, ...(parent ? wayUp(parent) : [])];
}

function theSpan(service: string, name: string, under?: string): CollectedSpan {
  const found = spans.filter(
    (span) => span.service === service && span.name === name && (!under || wayUp(span).includes(under)),
  );
  expect(found, `spans "${name}" of ${service}`).not.toHaveLength(0);
  return found[0] as CollectedSpan;
}

test("one trace holds the whole order, from the caller's own span on", () => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? ""));
  expect(roots.map(({ service, name, parentSpanId }) => [service, name, parentSpanId])).toEqual([
    ["gateway", "POST /v1/orders", caller],
  ]);
  expect(new Set(spans.map(({ service }) => service))).toEqual(
    new Set(["gateway", "order", "user", "inventory", "payment", "notification"]),
  );
});

test("the request's way goes through gateway, services and databases", () => {
  const createOrder = "shop.order.v1.OrderService/CreateOrder";
  expect(wayUp(theSpan("user", "SELECT users"))).toEqual([
    "user SELECT users",
    "user shop.user.v1.UserService/GetUser",
    "order shop.user.v1.UserService/GetUser",
    "order validate_user",
    `order ${createOrder}`,
    `gateway ${createOrder}`,
    "gateway POST /v1/orders",
  ]);
  expect(wayUp(theSpan("inventory", "UPDATE products", `order ${createOrder}`))).toContain("order reserve_items");
  expect(wayUp(theSpan("order", "INSERT orders"))).toEqual([
    "order INSERT orders",
    "order transaction",
    "order keep_order",
    `order ${createOrder}`,
    `gateway ${createOrder}`,
    "gateway POST /v1/orders",
  ]);
});

test("the event's way goes through outbox and JetStream to the subscriber, the charge and the mail", () => {
  const published = theSpan("order", "publish shop.order.v1.OrderCreated");
  expect(wayUp(published)[1]).toBe("order transaction");
  const charge = theSpan("payment", "POST /charges");
  expect(wayUp(charge)).toContain("payment process shop.order.v1.OrderCreated");
  const completed = theSpan("order", "process shop.payment.v1.PaymentCompleted");
  expect(wayUp(completed)).toContain("payment publish shop.payment.v1.PaymentCompleted");
  const receipt = theSpan("notification", "SMTP send", "notification process shop.payment.v1.PaymentCompleted");
  expect(wayUp(receipt)).toContain("payment charge payment");
  const committed = theSpan("inventory", "publish shop.inventory.v1.StockCommitted");
  expect(wayUp(committed)).toContain("order publish shop.order.v1.OrderStatusChanged");
});

test("spans say what they are", () => {
  const kinds = (name: string) => new Set(spans.filter((span) => span.name === name).map(({ kind }) => kind));
  expect(kinds("shop.order.v1.OrderService/CreateOrder")).toEqual(new Set(["client", "server"]));
  expect(kinds("publish shop.order.v1.OrderCreated")).toEqual(new Set(["producer"]));
  expect(kinds("process shop.order.v1.OrderCreated")).toEqual(new Set(["consumer"]));
  expect(theSpan("gateway", "shop.order.v1.OrderService/CreateOrder").attributes).toMatchObject({
    "rpc.system.name": "grpc",
    "rpc.method": "shop.order.v1.OrderService/CreateOrder",
    "rpc.status_code": "OK",
    "weft.attempt": 1,
  });
});

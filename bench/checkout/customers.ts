import { randomBytes, randomUUID } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { OrderService, OrderStatus } from "@shop/contracts/order";
import { connect } from "@weft/rpc";
import type { Assignment, Market, Ordering } from "./load.ts";

/** The process of the customers: told of the market first, then assignments, and each is answered with what came of it. */
process.once("disconnect", () => process.exit());
process.once("message", (market: Market) => {
  const [host = "", port] = market.gateway.split(":");
  // The shop's own retries are the gateway's: what fails here is an error.
  const client = createClient(OrderService, connect({ host, port: Number(port) }).transport);
  process.on("message", async (assignment: Assignment) => process.send?.(await order(client, market, assignment)));
});

type OrderClient = ReturnType<typeof createClient<typeof OrderService>>;

async function order(
  client: OrderClient,
  market: Market,
  { crowd, warmUpMs, measuredMs, traced }: Assignment,
): Promise<Ordering> {
  const beginsAt = performance.now() + warmUpMs;
  const endsAt = beginsAt + measuredMs;
  const orders: number[] = [];
  const traceIds: string[] = [];
  let [placed, errors] = [0, 0];
  await Promise.all(
    market.userIds.slice(0, crowd).map(async (userId) => {
      while (performance.now() < endsAt) {
        const n = placed++;
        const traceId = randomBytes(16).toString("hex");
        const isTraced = Math.floor((n + 1) * traced) > Math.floor(n * traced);
        if (isTraced) traceIds.push(traceId);
        const headers = {
          "idempotency-key": randomUUID(),
          traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-${isTraced ? "01" : "00"}`,
        };
        const productId = market.productIds[n % market.productIds.length] as string;
        const startedAt = performance.now();
        try {
          await confirmed(client, { userId, items: [{ productId, quantity: 1 }], paymentToken: "tok_visa" }, headers);
          const now = performance.now();
          if (now >= beginsAt && now <= endsAt) orders.push(now - startedAt);
        } catch (error) {
          errors += 1;
          process.stderr.write(`bench: an order failed: ${error}\n`);
        }
      }
    }),
  );
  return { orders, placed, errors, traceIds };
}

async function confirmed(
  client: OrderClient,
  request: Parameters<OrderClient["createOrder"]>[0],
  headers: Record<string, string>,
): Promise<void> {
  const { order: { id: orderId = "" } = {} } = await client.createOrder(request, { headers, timeoutMs: 10_000 });
  for await (const seen of client.watchOrder({ orderId }, { timeoutMs: 10_000 })) {
    if (seen.order?.status === OrderStatus.CONFIRMED) return;
  }
  throw new Error(`order ${orderId} was not confirmed`);
}

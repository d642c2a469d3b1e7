import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createHttpPaymentProvider } from "./http-payment-provider.ts";

const order = { orderId: "7f6c1a52-3e3c-4a43-8a2f-0d3b4d0f6a10", amount: { currencyCode: "USD", minorUnits: 1250n } };
const charge = { ...order, token: "tok_visa" };
const open = new AbortController().signal;

interface Asked {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

async function answering(answer: (response: ServerResponse) => void, timeoutMs = 5_000) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    asked.push({ path: request.url, headers: request.headers, body: text === "" ? undefined : JSON.parse(text) });
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, url, provider: createHttpPaymentProvider({ url, timeoutMs }) };
}

function json(status: number, body: unknown) {
  return (response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}

describe("the HTTP payment provider", () => {
  it("charges under the order's id as the idempotency key", async () => {
    const { provider, asked } = await answering(json(201, { id: "ch_1" }));
    expect(await provider.charge(charge, open)).toEqual({ kind: "charged", reference: "ch_1" });
    expect(asked[0]).toMatchObject({
      path: "/charges",
      headers: { "idempotency-key": order.orderId, "content-type": "application/json" },
      body: { amount_minor: 1250, currency: "USD", token: "tok_visa", order_id: order.orderId },
    });
  });

  it("refunds a charge under a key of the order's own", async () => {
    const { provider, asked } = await answering(json(201, { id: "re_1" }));
    expect(await provider.refund({ ...order, reference: "ch_1" }, open)).toEqual({ kind: "refunded" });
    expect(asked[0]).toMatchObject({
      path: "/charges/ch_1/refunds",
      headers: { "idempotency-key": `refund-${order.orderId}` },
    });
  });

  it.each([
    [402, { code: "card_declined" }, "card_declined"],
    [400, { code: "invalid_token" }, "invalid_token"],
    [402, "no code", "declined"],
  ])("takes %i %j as a decline", async (status, body, reason) => {
    const { provider } = await answering(json(status, body));
    expect(await provider.charge(charge, open)).toEqual({ kind: "declined", reason });
  });

  it.each([500, 503, 409])("does not know what became of a charge after %i", async (status) => {
    const { provider } = await answering(json(status, {}));
    expect(await provider.charge(charge, open)).toEqual({ kind: "unknown", problem: `HTTP ${status}` });
  });

  it.each([401, 404, 429])("knows that nothing was charged after %i", async (status) => {
    const { provider } = await answering(json(status, {}));
    expect(await provider.charge(charge, open)).toEqual({ kind: "untouched", problem: `HTTP ${status}` });
  });

  it("is refused for good when the provider knows the key with another request", async () => {
    const { provider } = await answering(json(409, { code: "idempotency_key_reused" }));
    expect(await provider.charge(charge, open)).toEqual({ kind: "refused", reason: "idempotency_key_reused" });
  });

  it.each(["a\0b", "x".repeat(201)])("keeps no code or id that a database can't hold: %j", async (bad) => {
    const declining = await answering(json(402, { code: bad }));
    expect(await declining.provider.charge(charge, open)).toEqual({ kind: "declined", reason: "declined" });
    await stop();
    const charging = await answering(json(201, { id: bad }));
    expect(await charging.provider.charge(charge, open)).toMatchObject({ kind: "unknown" });
  });

  const [ours, other] = [order.orderId, "8f6c1a52-3e3c-4a43-8a2f-0d3b4d0f6a10"];
  it.each([
    [[], { kind: "none" }],
    [[{ id: "ch_1", order_id: ours, status: "succeeded" }], { kind: "charged", reference: "ch_1" }],
    [[{ id: "ch_1", order_id: ours, status: "declined" }], { kind: "declined", reason: "declined" }],
    [[{ id: "ch_1", order_id: other, status: "succeeded" }], { kind: "none" }],
    [[{ id: "ch_1", order_id: ours, status: "on its way" }], { kind: "unknown" }],
    [{}, { kind: "unknown" }],
  ])("reads from the charges %j what became of an order's: %j", async (charges, found) => {
    const { provider, asked } = await answering(json(200, charges));
    expect(await provider.find(ours, open)).toMatchObject(found);
    expect(asked[0]?.path).toBe(`/charges?order_id=${ours}`);
  });

  it.each([404, 500])("does not know what became of a charge when a look at it is answered %i", async (status) => {
    const { provider } = await answering(json(status, []));
    expect(await provider.find(ours, open)).toEqual({ kind: "unknown", problem: `HTTP ${status}` });
  });

  it("does not know what became of a charge whose answer is cut off, late or unreadable", async () => {
    const cut = await answering((response) => response.destroy());
    expect(await cut.provider.charge(charge, open)).toMatchObject({ kind: "unknown" });
    await stop();
    const late = await answering(() => {}, 50);
    expect(await late.provider.charge(charge, open)).toEqual({ kind: "unknown", problem: "TimeoutError" });
    await stop();
    const unreadable = await answering((response) => response.writeHead(201).end("<html>"));
    expect(await unreadable.provider.charge(charge, open)).toMatchObject({ kind: "unknown" });
  });

  it("knows that nothing was charged when there is no connection", async () => {
    const { provider } = await answering(json(201, {}));
    await stop();
    expect(await provider.charge(charge, open)).toEqual({ kind: "untouched", problem: "ECONNREFUSED" });
    expect(await provider.refund({ ...order, reference: "ch_1" }, open)).toEqual({
      kind: "failed",
      problem: "ECONNREFUSED",
    });
  });

  it("says nothing of the card's token in what it reports", async () => {
    const { provider } = await answering(json(500, { message: "bad token tok_visa" }));
    expect(JSON.stringify(await provider.charge(charge, open))).not.toContain("tok_visa");
  });
});

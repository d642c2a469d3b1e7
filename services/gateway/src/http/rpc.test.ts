import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { OrderService, OrderStatus } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collect } from "../testing/collect.ts";
import { openEdge } from "../testing/running-edge.ts";
import { openStubbedEdge, type StubbedEdge } from "../testing/stubbed-edge.ts";

const ada = "a0000000-0000-4000-8000-000000000001";
const nobody = "f0000000-0000-4000-8000-000000000000";
const order = "c0000000-0000-4000-8000-000000000001";
let edge: StubbedEdge;

beforeAll(async () => {
  edge = await openStubbedEdge();
});
afterAll(() => edge?.close());

const protocols: readonly [string, () => Transport][] = [
  ["Connect in JSON", () => createConnectTransport({ baseUrl: edge.url, httpVersion: "1.1", useBinaryFormat: false })],
  ["Connect in binary", () => createConnectTransport({ baseUrl: edge.url, httpVersion: "1.1", useBinaryFormat: true })],
  ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: edge.url, httpVersion: "1.1" })],
];

describe.each(protocols)("%s", (_name, transport) => {
  test("a unary call is answered by the service", async () => {
    const { user } = await createClient(UserService, transport()).getUser({ userId: ada });
    expect(user).toMatchObject({ id: ada, name: "Ada Lovelace" });
  });

  test("an error keeps its code and message", async () => {
    const call = createClient(UserService, transport()).getUser({ userId: nobody });
    await expect(call).rejects.toMatchObject({ code: Code.NotFound, rawMessage: expect.stringContaining(nobody) });
  });

  test("metadata goes both ways, but for what is the mesh's own", async () => {
    let correlationId: string | null = null;
    await createClient(UserService, transport()).getUser(
      { userId: ada },
      {
        headers: { "x-correlation-id": "trip-1", "x-weft-caller": "payment", "x-tenant": "blue" },
        onHeader: (header) => {
          correlationId = header.get("x-correlation-id");
        },
      },
    );
    const { headers } = edge.stubs.user.calls.at(-1) ?? {};
    expect(headers?.get("x-correlation-id")).toBe("trip-1");
    expect(headers?.get("x-weft-caller")).toBe("gateway");
    expect(headers?.get("x-tenant")).toBe("blue");
    expect(correlationId).toBe("trip-1");
  });

  test("the deadline goes through", async () => {
    await createClient(UserService, transport()).getUser({ userId: ada }, { timeoutMs: 700 });
    const { headers } = edge.stubs.user.calls.at(-1) ?? {};
    expect(Number.parseInt(headers?.get("grpc-timeout") ?? "", 10)).toBeLessThanOrEqual(700);
  });

  test("a stream is handed on message by message, until its caller leaves", async () => {
    const leaving = new AbortController();
    const messages = createClient(OrderService, transport()).watchOrder({ orderId: order }, { signal: leaving.signal });
    const seen: OrderStatus[] = [];
    const watching = (async () => {
      for await (const message of messages) {
        seen.push(message.order?.status ?? OrderStatus.UNSPECIFIED);
        leaving.abort();
      }
    })();
    await expect(watching).rejects.toSatisfy((error) => ConnectError.from(error).code === Code.Canceled);
    expect(seen).toEqual([OrderStatus.PENDING]);
  });

  test("a stream ends when its time is up", async () => {
    const messages = createClient(OrderService, transport()).watchOrder({ orderId: order }, { timeoutMs: 300 });
    await expect(collect(messages)).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("a method that isn't there is UNIMPLEMENTED", async () => {
    const renamed = { ...UserService.method.getUser, name: "GetNobody" };
    const unary = transport().unary(renamed, undefined, undefined, undefined, { userId: ada });
    await expect(unary).rejects.toMatchObject({ code: Code.Unimplemented });
  });
});

test("a service that isn't there is UNAVAILABLE, and why stays inside", async () => {
  const alone = await openEdge(new Map());
  try {
    const client = createClient(UserService, createConnectTransport({ baseUrl: alone.url, httpVersion: "1.1" }));
    await expect(client.getUser({ userId: ada })).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: "the service is not available now: try again",
    });
    expect(String(alone.hidden[0])).toContain("no instance of shop.user.v1.UserService");
  } finally {
    await alone.close();
  }
});

test("a page of another origin may call", async () => {
  const response = await fetch(`${edge.url}/shop.user.v1.UserService/GetUser`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: "https://shop.example" },
    body: JSON.stringify({ userId: ada }),
  });
  expect(await response.json()).toMatchObject({ user: { id: ada } });
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("access-control-expose-headers")?.toLowerCase()).toContain("grpc-status");
});

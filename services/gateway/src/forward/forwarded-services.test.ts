import { Code, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OrderService } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import { Health, ServerReflection, ServerReflectionAlpha, ServingStatus } from "@weft/contracts";
import { type Server, startServer } from "@weft/service";
import { silentLogger } from "@weft/telemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publicServices } from "../public-services.ts";
import { collect } from "../testing/collect.ts";
import { openStubbedEdge, type StubbedEdge } from "../testing/stubbed-edge.ts";
import { forwardedServices } from "./forwarded-services.ts";

const ada = "a0000000-0000-4000-8000-000000000001";
const order = "c0000000-0000-4000-8000-000000000001";
let edge: StubbedEdge;
let server: Server;
let transport: Transport;

/** The gateway's gRPC port, in front of the stubs. */
beforeAll(async () => {
  edge = await openStubbedEdge();
  const services = forwardedServices(publicServices, edge.forwarder);
  server = await startServer({ services, host: "127.0.0.1", port: 0, logger: silentLogger });
  await server.announce();
  transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` });
});
afterAll(async () => {
  await server?.close(0);
  await edge?.close();
});

test("a call is handed on, with its key and its correlation id", async () => {
  const items = [{ productId: "coffee-beans", quantity: 2 }];
  const headers = { "idempotency-key": "k-9", "x-correlation-id": "trip-9" };
  const { order } = await createClient(OrderService, transport).createOrder(
    { userId: ada, items, paymentToken: "tok_visa" },
    { headers },
  );
  expect(order?.total).toMatchObject({ currencyCode: "USD", minorUnits: 2500n });
  const received = edge.stubs.order.calls.at(-1)?.headers;
  expect(received?.get("idempotency-key")).toBe("k-9");
  expect(received?.get("x-correlation-id")).toBe("trip-9");
  expect(received?.get("x-weft-caller")).toBe("gateway");
});

test("what breaks a rule is refused here already", async () => {
  const before = edge.stubs.user.calls.length;
  const call = createClient(UserService, transport).getUser({ userId: "42" });
  await expect(call).rejects.toMatchObject({ code: Code.InvalidArgument });
  expect(edge.stubs.user.calls.length).toBe(before);
});

test("a stream is handed on until its caller leaves", async () => {
  const leaving = new AbortController();
  const messages = createClient(OrderService, transport).watchOrder({ orderId: order }, { signal: leaving.signal });
  const iterator = messages[Symbol.asyncIterator]();
  expect(await iterator.next()).toMatchObject({ value: { order: { id: order } } });
  leaving.abort();
  await expect(iterator.next()).rejects.toMatchObject({ code: Code.Canceled });
});

test("it says that it serves", async () => {
  const { status } = await createClient(Health, transport).check({ service: "shop.order.v1.OrderService" });
  expect(status).toBe(ServingStatus.SERVING);
});

test.each([
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionAlpha],
] as const)("reflection %s lists every public service and describes its contract", async (_version, reflection) => {
  async function* requests() {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
    yield { messageRequest: { case: "fileContainingSymbol", value: "shop.order.v1.OrderService" } } as const;
  }
  const client = createClient(reflection as typeof ServerReflection, transport);
  const [listed, described] = await collect(client.serverReflectionInfo(requests()));
  const names = listed?.messageResponse.case === "listServicesResponse" ? listed.messageResponse.value.service : [];
  expect(names.map(({ name }) => name)).toEqual(
    expect.arrayContaining(publicServices.map(({ service }) => service.typeName)),
  );
  expect(described?.messageResponse.case).toBe("fileDescriptorResponse");
});

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type Server, startServer } from "@weft/service";
import { silentLogger } from "@weft/telemetry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handedOn } from "../forward/index.ts";
import { publicServices } from "../public-services.ts";
import { openEdge, type RunningEdge } from "../testing/running-edge.ts";
import { routesOf } from "../transcoding/index.ts";

const id = "a0000000-0000-4000-8000-000000000001";
const items = [{ productId: "coffee-beans", quantity: 2 }];

/** One good request to a route: what stands in its path, query and body, by field. */
interface Good {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** Fields without which it is still good. */
  readonly optional?: readonly string[];
}

const page = { query: { pageSize: "5", pageToken: "x" }, optional: ["pageSize", "pageToken"] };

const good: Readonly<Record<string, Good>> = {
  "POST /v1/users": { body: { email: "ada@example.com", name: "Ada" } },
  "GET /v1/users/{user_id}": { path: { userId: id } },
  "GET /v1/users:findByEmail": { query: { email: "ada@example.com" } },
  "PATCH /v1/users/{user.id}": {
    path: { id },
    query: { updateMask: "name" },
    body: { email: "ada@example.com", name: "Ada" },
    optional: ["updateMask", "email", "name"],
  },
  "PUT /v1/users/{user.id}": {
    path: { id },
    body: { email: "ada@example.com", name: "Ada" },
    optional: ["email", "name"],
  },
  "DELETE /v1/users/{user_id}": { path: { userId: id } },
  "GET /v1/users": page,
  "GET /v1/users:report": { query: { includeDeleted: "true" }, optional: ["includeDeleted"] },
  "GET /v1/products/{product_id}": { path: { productId: "coffee-beans" } },
  "GET /v1/products": page,
  "POST /v1/products:checkAvailability": { body: { items } },
  "GET /v1/products/{product_id}/availability": {
    path: { productId: "coffee-beans" },
    query: { quantity: "2" },
    optional: ["quantity"],
  },
  "POST /v1/reservations": { body: { orderId: id, items } },
  "POST /v1/products/{product_id}/reservations": {
    path: { productId: "coffee-beans" },
    body: { orderId: id, quantity: 2 },
  },
  "DELETE /v1/reservations/{order_id}": {
    path: { orderId: id },
    query: { productId: "coffee-beans" },
    optional: ["productId"],
  },
  "DELETE /v1/products/{product_id}/reservations/{order_id}": { path: { productId: "coffee-beans", orderId: id } },
  "POST /v1/reservations/{order_id}:commit": { path: { orderId: id } },
  "POST /v1/products/{product_id}:restock": { path: { productId: "coffee-beans" }, body: { quantity: 2 } },
  "POST /v1/orders": { body: { userId: id, items, paymentToken: "tok_visa" } },
  "GET /v1/orders/{order_id}": { path: { orderId: id } },
  "GET /v1/users/{user_id}/orders": { path: { userId: id }, ...page },
  "GET /v1/orders/{order_id}:withUser": { path: { orderId: id } },
  "PUT /v1/orders/{order_id}/status": {
    path: { orderId: id },
    body: { status: "ORDER_STATUS_SHIPPED", reason: "on its way" },
    optional: ["reason"],
  },
  "POST /v1/orders/{order_id}:cancel": { path: { orderId: id }, body: { reason: "too late" }, optional: ["reason"] },
  "GET /v1/orders/{order_id}:watch": { path: { orderId: id } },
  "POST /v1/payments": { body: { orderId: id } },
  "GET /v1/payments/{order_id}": { path: { orderId: id } },
  "GET /v1/orders/{order_id}/payment": { path: { orderId: id } },
  "POST /v1/payments/{order_id}:refund": { path: { orderId: id }, body: { reason: "broken" }, optional: ["reason"] },
  "GET /v1/users/{user_id}/notifications": { path: { userId: id }, ...page },
};

const routes = routesOf(publicServices.map(({ service }) => service));
const servers: Server[] = [];
let edge: RunningEdge;

/** Each contract behind the real server stack, with handlers that answer whatever comes: what is refused never got to one. */
beforeAll(async () => {
  for (const { service, policies } of publicServices) {
    const handlers = service.methods.map((method) => {
      const streams = method.methodKind === "server_streaming";
      return [method.localName, streams ? async function* () {} : async () => ({})] as const;
    });
    const served = { service, policies: handedOn(policies), implementation: Object.fromEntries(handlers) as never };
    servers.push(await startServer({ services: [served], host: "127.0.0.1", port: 0, logger: silentLogger }));
  }
  edge = await openEdge(new Map(publicServices.map(({ service }, at) => [service.typeName, servers[at] as Server])));
});
afterAll(async () => {
  await edge?.close();
  await Promise.all(servers.map((server) => server.close(0)));
});

interface Answer {
  readonly status: number;
  /** The fields that the answer names. */
  readonly fields: readonly string[];
}

async function send(route: string, { path = {}, query = {}, body }: Good): Promise<Answer> {
  const [method, template = ""] = route.split(" ");
  const filled = template.replaceAll(/\{(?:\w+\.)?(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(path[name.replaceAll(/_(\w)/g, (_underscore, letter: string) => letter.toUpperCase())] ?? ""),
  );
  const search = new URLSearchParams(query).toString();
  const response = await fetch(`${edge.url}${filled}${search && "?"}${search}`, {
    method: method ?? "",
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  if (response.status === 200) return { status: 200, fields: [] };
  const { details } = (JSON.parse(text) as { error: { details: { fieldViolations: { field: string }[] }[] } }).error;
  return { status: response.status, fields: details.flatMap((one) => one.fieldViolations.map(({ field }) => field)) };
}

/** Each single change that makes a good request bad, and the field that the answer must name. */
function spoiled({ path = {}, query = {}, body, optional = [] }: Good): readonly [string, string, Good][] {
  const request = { path, query, ...(body && { body }) };
  const cases: [string, string, Good][] = [];
  const inBody = (what: string, field: string, change: JsonObject): void =>
    void cases.push([what, field, { ...request, body: { ...body, ...change } }]);
  const inQuery = (what: string, field: string, value: string): void =>
    void cases.push([what, field, { ...request, query: { ...query, [field]: value } }]);

  for (const name of Object.keys(path)) {
    cases.push(["too long", name, { ...request, path: { ...path, [name]: "x".repeat(300) } }]);
    cases.push(["wrong", name, { ...request, path: { ...path, [name]: "-1 ?" } }]);
  }
  for (const [name, value] of Object.entries(query)) {
    if (!optional.includes(name)) cases.push(["missing", name, { ...request, query: without(query, name) }]);
    if (/^\d+$/.test(value)) {
      inQuery("negative", name, "-1");
      inQuery("of the wrong type", name, "many");
    } else if (value === "true") inQuery("of the wrong type", name, "7");
    else inQuery("too long", name, "x".repeat(300));
  }
  for (const [name, value] of Object.entries(body ?? {})) {
    if (!optional.includes(name)) cases.push(["missing", name, { ...request, body: without(body ?? {}, name) }]);
    inBody("of the wrong type", name, { [name]: ofAnotherType(value) });
    if (typeof value === "number") inBody("negative", name, { [name]: -1 });
    if (typeof value === "string") inBody("too long", name, { [name]: "x".repeat(600) });
    if (!Array.isArray(value)) continue;
    inBody("empty", name, { [name]: [] });
    inBody("too long", name, {
      [name]: Array.from({ length: 101 }, (_, at) => ({ productId: `p${at}`, quantity: 1 })),
    });
    inBody("negative", `${name}[0].quantity`, { [name]: [{ productId: "mug", quantity: -1 }] });
    inBody("missing", `${name}[0].productId`, { [name]: [{ quantity: 1 }] });
    inBody("unknown", `${name}[0].colour`, { [name]: [{ productId: "mug", quantity: 1, colour: "red" }] });
  }
  inQuery("unknown", "colour", "red");
  if (body !== undefined) inBody("unknown", "colour", { colour: "red" });
  return cases;
}

test("every public route is tried", () => {
  expect(Object.keys(good).sort()).toEqual(routes.map((route) => `${route.httpMethod} ${route.template.text}`).sort());
});

describe.each(Object.entries(good))("%s", (route, request) => {
  test("a good request gets through", async () => {
    expect(await send(route, request)).toEqual({ status: 200, fields: [] });
  });

  test.each(spoiled(request))("%s: the answer is 400 and names %s", async (_what, field, bad) => {
    expect(await send(route, bad)).toEqual({ status: 400, fields: expect.arrayContaining([field]) });
  });
});

function ofAnotherType(value: JsonValue): JsonValue {
  return typeof value === "string" ? { not: "text" } : "another";
}

function without<T extends object>(from: T, name: string): T {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name)) as T;
}

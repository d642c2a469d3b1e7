import { afterAll, beforeAll, expect, test } from "vitest";
import { openStubbedEdge, type StubbedEdge } from "../testing/stubbed-edge.ts";

const ada = "a0000000-0000-4000-8000-000000000001";
const nobody = "f0000000-0000-4000-8000-000000000000";
let edge: StubbedEdge;

beforeAll(async () => {
  edge = await openStubbedEdge();
});
afterAll(() => edge?.close());

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${edge.url}${path}`, {
    method,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith("{") ? JSON.parse(text) : {},
  };
}

test("a user is created, found, changed and deleted", async () => {
  const created = await call("POST", "/v1/users", { email: "ada@example.com", name: "Ada Lovelace" });
  expect(created).toMatchObject({
    status: 200,
    json: { user: { email: "ada@example.com", status: "USER_STATUS_ACTIVE" } },
  });
  expect(await call("GET", `/v1/users/${ada}`)).toMatchObject({ status: 200, json: { user: { id: ada } } });
  const changed = await call("PATCH", `/v1/users/${ada}`, { name: "Ada King" });
  expect(changed.json).toMatchObject({ user: { email: "ada@example.com", name: "Ada King" } });
  const replaced = await call("PUT", `/v1/users/${ada}`, { email: "ada.king@example.com", name: "Ada King" });
  expect(replaced.json).toMatchObject({ user: { email: "ada.king@example.com" } });
  expect(await call("DELETE", `/v1/users/${ada}`)).toMatchObject({ json: { user: { status: "USER_STATUS_DELETED" } } });
});

test("zero values are in the answer", async () => {
  const { json } = await call("GET", "/v1/users");
  expect(json).toMatchObject({ nextPageToken: "", users: [{ id: ada }] });
});

test("an error has its HTTP status and google.rpc's shape", async () => {
  const { status, json, headers } = await call("GET", `/v1/users/${nobody}`);
  expect(status).toBe(404);
  expect(headers.get("content-type")).toContain("application/json");
  expect(json).toEqual({
    error: { code: 404, status: "NOT_FOUND", message: expect.stringContaining(nobody), details: [] },
  });
  const taken = await call("POST", "/v1/users", { email: "grace@example.com", name: "Another Grace" });
  expect(taken).toMatchObject({ status: 409, json: { error: { status: "ALREADY_EXISTS" } } });
});

test("a path that isn't there is 404, a method that isn't is 405 with Allow", async () => {
  expect(await call("GET", "/v1/nothing")).toMatchObject({ status: 404, json: { error: { status: "NOT_FOUND" } } });
  const other = await call("DELETE", "/v1/users");
  expect(other).toMatchObject({ status: 405, json: { error: { code: 405 } } });
  expect(other.headers.get("allow")).toBe("GET, POST");
});

test("what is no JSON is 415 or 400, and what is too long 413", async () => {
  const xml = await call("POST", "/v1/users", "<user/>", { "content-type": "text/xml" });
  expect(xml).toMatchObject({ status: 415, json: { error: { code: 415 } } });
  expect(await call("POST", "/v1/users", "{")).toMatchObject({
    status: 400,
    json: { error: { status: "INVALID_ARGUMENT" } },
  });
  const long = await call("POST", "/v1/users", JSON.stringify({ name: "x".repeat(1024 * 1024) }));
  expect(long).toMatchObject({ status: 413, json: { error: { code: 413, status: "RESOURCE_EXHAUSTED" } } });
});

test("HEAD answers as GET does, without a body", async () => {
  expect(await call("HEAD", `/v1/users/${ada}`)).toMatchObject({ status: 200, text: "" });
});

test("the correlation id goes through to the service and comes back; a bad one is replaced", async () => {
  const { headers } = await call("GET", `/v1/users/${ada}`, undefined, { "x-correlation-id": "order-7" });
  expect(headers.get("x-correlation-id")).toBe("order-7");
  expect(edge.stubs.user.calls.at(-1)?.headers.get("x-correlation-id")).toBe("order-7");
  const bad = await call("GET", "/v1/nothing", undefined, { "x-correlation-id": "a b" });
  expect(bad.headers.get("x-correlation-id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("the idempotency key goes through, and nobody outside names the caller", async () => {
  const order = { userId: ada, items: [{ productId: "coffee-beans", quantity: 2 }], paymentToken: "tok_visa" };
  const key = { "idempotency-key": "k-1", "x-weft-caller": "payment" };
  expect(await call("POST", "/v1/orders", order, key)).toMatchObject({
    status: 200,
    json: { order: { status: "ORDER_STATUS_PENDING", total: { currencyCode: "USD", minorUnits: "2500" } } },
  });
  const { headers } = edge.stubs.order.calls.at(-1) ?? {};
  expect(headers?.get("idempotency-key")).toBe("k-1");
  expect(headers?.get("x-weft-caller")).toBe("gateway");
});

test("the caller's time goes through, and must be a number of milliseconds", async () => {
  await call("GET", `/v1/users/${ada}`, undefined, { "x-request-timeout": "900" });
  const timeout = edge.stubs.user.calls.at(-1)?.headers.get("grpc-timeout") ?? "";
  expect(Number.parseInt(timeout, 10)).toBeLessThanOrEqual(900);
  const bad = await call("GET", `/v1/users/${ada}`, undefined, { "x-request-timeout": "soon" });
  expect(bad).toMatchObject({
    status: 400,
    json: { error: { message: expect.stringContaining("x-request-timeout") } },
  });
});

test("a page of another origin may call", async () => {
  const preflight = await call("OPTIONS", "/v1/orders", undefined, {
    origin: "https://shop.example",
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "content-type,idempotency-key",
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-methods")).toContain("PATCH");
  expect(preflight.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("idempotency-key");
  const answer = await call("GET", `/v1/users/${ada}`, undefined, { origin: "https://shop.example" });
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
});

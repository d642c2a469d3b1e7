import { toJson } from "@bufbuild/protobuf";
import { InventoryService } from "@shop/contracts/inventory";
import { OrderService } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isBadRequest } from "./faults.ts";
import { toMessage } from "./request.ts";
import { findRoute, routesOf } from "./routes.ts";

const routes = routesOf([UserService, InventoryService, OrderService]);

/** What the request means, as JSON; or its faults by field. */
function read(httpMethod: string, target: string, body?: unknown): unknown {
  const url = new URL(target, "http://gateway");
  const found = findRoute(routes, httpMethod, url.pathname);
  if (found.kind !== "found") throw new Error(found.kind);
  try {
    const request = { captures: found.captures, query: url.searchParams, body: body as never };
    return toJson(found.route.method.input, toMessage(found.route, request));
  } catch (error) {
    if (!isBadRequest(error)) throw error;
    return { faults: Object.fromEntries(error.faults.map(({ field, description }) => [field, description])) };
  }
}

test("a request is made of path, query and body", () => {
  expect(read("GET", "/v1/users/7")).toEqual({ userId: "7" });
  expect(read("GET", "/v1/users?pageSize=5&page_token=abc")).toEqual({ pageSize: 5, pageToken: "abc" });
  expect(read("GET", "/v1/users:report?includeDeleted=true")).toEqual({ includeDeleted: true });
  expect(read("POST", "/v1/users", { email: "a@b.c", name: "A" })).toEqual({ email: "a@b.c", name: "A" });
  expect(read("POST", "/v1/products/mug:restock", { quantity: 3 })).toEqual({ productId: "mug", quantity: 3 });
  expect(read("PUT", "/v1/orders/7/status", { status: "ORDER_STATUS_SHIPPED" })).toEqual({
    orderId: "7",
    status: "ORDER_STATUS_SHIPPED",
  });
});

test("PATCH changes the fields that its body has", () => {
  expect(read("PATCH", "/v1/users/7", { name: "B" })).toEqual({ user: { id: "7", name: "B" }, updateMask: "name" });
  expect(read("PATCH", "/v1/users/7", { id: "7", name: "", email: "a@b.c" })).toEqual({
    user: { id: "7", email: "a@b.c" },
    updateMask: "name,email",
  });
});

test("PATCH's own mask wins", () => {
  expect(read("PATCH", "/v1/users/7?updateMask=email", { name: "B" })).toMatchObject({ updateMask: "email" });
  expect(read("PATCH", "/v1/users/7?update_mask=email,name", {})).toMatchObject({ updateMask: "email,name" });
});

test("PATCH of nothing is refused: an empty mask would mean everything", () => {
  expect(read("PATCH", "/v1/users/7", {})).toEqual({ faults: { "": "the body names no field to change" } });
  expect(read("PATCH", "/v1/users/7?updateMask=", { id: "7" })).toHaveProperty(["faults", ""]);
});

test("PATCH of what can't change names it as the body does, and never a mask that nobody sent", () => {
  const refused = "can't be changed";
  expect(read("PATCH", "/v1/users/7", { status: "USER_STATUS_DELETED" })).toEqual({ faults: { status: refused } });
  expect(read("PATCH", "/v1/users/7", { name: 7, created_at: "today", updatedAt: "2026-01-31T12:00:00Z" })).toEqual({
    faults: { created_at: refused, updatedAt: refused, name: "must be a string" },
  });
  // A mask of the caller's own is the service's to judge.
  expect(read("PATCH", "/v1/users/7?updateMask=status", {})).toMatchObject({ updateMask: "status" });
});

test("PUT has no mask", () => {
  expect(read("PUT", "/v1/users/7", { name: "B" })).toEqual({ user: { id: "7", name: "B" } });
});

test("a field that isn't there is named, in the query and at any depth of the body", () => {
  expect(read("GET", "/v1/users?page=2&__proto__=1")).toEqual({
    faults: { page: "there is no such parameter", ["__proto__"]: "there is no such parameter" },
  });
  expect(read("POST", "/v1/orders", { userId: "7", items: [{ productId: "a" }, { product: "b" }], note: 1 })).toEqual({
    faults: { "items[1].product": "there is no such field", note: "there is no such field" },
  });
  expect(read("PATCH", "/v1/users/7", { nick: "B" })).toHaveProperty(["faults", "nick"]);
  expect(JSON.stringify(read("POST", "/v1/users", JSON.parse('{"__proto__":{"name":"x"}}')))).toBe(
    '{"faults":{"__proto__":"there is no such field"}}',
  );
});

test("a value of the wrong type is named, with what it must be", () => {
  expect(read("GET", "/v1/users?pageSize=many")).toEqual({ faults: { pageSize: "must be a whole number of 32 bits" } });
  expect(read("GET", "/v1/users:report?includeDeleted=1")).toEqual({
    faults: { includeDeleted: "must be true or false" },
  });
  expect(read("POST", "/v1/users", { email: 7, name: {} })).toEqual({
    faults: { email: "must be a string", name: "must be a string" },
  });
  expect(read("POST", "/v1/orders", { items: "all" })).toEqual({ faults: { items: "must be a list" } });
  expect(read("POST", "/v1/orders", { items: [7, { quantity: 1.5 }] })).toEqual({
    faults: { "items[0]": "must be an object", "items[1].quantity": "must be a whole number of 32 bits" },
  });
  expect(read("PUT", "/v1/orders/7/status", { status: "SENT" })).toHaveProperty(["faults", "status"]);
  expect(read("PUT", "/v1/users/7", { createdAt: "today" })).toEqual({
    faults: { createdAt: 'must be an RFC 3339 time, such as "2026-01-31T12:00:00Z"' },
  });
});

test.each([[null], [[]], ["text"], [7], [true]])("a body that is %j is no object", (body) => {
  const refused = { faults: { "": "the body must be a JSON object" } };
  expect(read("POST", "/v1/users", body)).toEqual(refused);
  expect(read("PATCH", "/v1/users/7", body)).toEqual(refused);
  expect(read("GET", "/v1/users/7", body)).toEqual(refused);
});

test("no body at all is an empty one", () => {
  expect(read("POST", "/v1/users")).toEqual({});
});

test("a field comes from one place", () => {
  expect(read("GET", "/v1/users/7?userId=8")).toEqual({ faults: { userId: "is in the path already" } });
  expect(read("GET", "/v1/users?pageSize=1&pageSize=2")).toEqual({ faults: { pageSize: "is given more than once" } });
  expect(read("GET", "/v1/users?pageSize=1&page_size=2")).toEqual({ faults: { pageSize: "is given more than once" } });
  expect(read("PATCH", "/v1/users/7?user.name=B", { name: "C" })).toHaveProperty(["faults", "user.name"]);
  expect(read("POST", "/v1/users?name=B", {})).toEqual({ faults: { name: "there is no such parameter" } });
  expect(read("PUT", "/v1/users/7", { id: "8", name: "B" })).toEqual({ faults: { id: "differs from the path's" } });
  expect(read("PUT", "/v1/orders/7/status", { orderId: "8" })).toEqual({
    faults: { orderId: "differs from the path's" },
  });
});

test("a route without a body takes none", () => {
  expect(read("POST", "/v1/reservations/7:commit", {})).toEqual({ orderId: "7" });
  expect(read("POST", "/v1/reservations/7:commit", { force: true })).toHaveProperty(["faults", "force"]);
});

test("whatever JSON comes, it is read or refused with fields, and never anything else", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("/v1/users", "/v1/orders", "/v1/reservations"), (body, path) => {
      expect(read("POST", path, body)).toBeTypeOf("object");
    }),
  );
});

test("whatever query comes, it is read or refused with fields, and never anything else", () => {
  fc.assert(
    fc.property(fc.webQueryParameters(), (query) => {
      expect(read("GET", `/v1/users?${query}`)).toBeTypeOf("object");
    }),
  );
});

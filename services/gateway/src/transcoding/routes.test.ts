import { InventoryService } from "@shop/contracts/inventory";
import { NotificationService } from "@shop/contracts/notification";
import { OrderService } from "@shop/contracts/order";
import { PaymentService } from "@shop/contracts/payment";
import { UserService } from "@shop/contracts/user";
import { expect, test } from "vitest";
import { findRoute, routesOf } from "./routes.ts";

const services = [UserService, InventoryService, OrderService, PaymentService, NotificationService];
const routes = routesOf(services);

const meant = (httpMethod: string, path: string): string => {
  const found = findRoute(routes, httpMethod, path);
  return found.kind === "found" ? found.route.method.name : found.kind;
};

test("every public method has a route", () => {
  const reachable = new Set(routes.map(({ method }) => method));
  expect(services.flatMap(({ methods }) => methods).filter((method) => !reachable.has(method))).toEqual([]);
});

test("no two routes are the same", () => {
  const names = routes.map(
    ({ httpMethod, template }) => `${httpMethod} ${template.text.replaceAll(/\{[^}]*\}/g, "{}")}`,
  );
  expect(new Set(names).size).toBe(names.length);
});

test.each([
  ["POST", "/v1/users", "CreateUser"],
  ["GET", "/v1/users", "ListUsers"],
  ["GET", "/v1/users/7", "GetUser"],
  ["GET", "/v1/users:findByEmail", "FindUserByEmail"],
  ["GET", "/v1/users:report", "GenerateUserReport"],
  ["PATCH", "/v1/users/7", "UpdateUser"],
  ["PUT", "/v1/users/7", "UpdateUser"],
  ["DELETE", "/v1/users/7", "DeleteUser"],
  ["GET", "/v1/products/mug/availability", "GetAvailability"],
  ["POST", "/v1/products/mug/reservations", "ReserveProduct"],
  ["DELETE", "/v1/products/mug/reservations/7", "ReleaseReservation"],
  ["DELETE", "/v1/reservations/7", "ReleaseReservation"],
  ["POST", "/v1/reservations/7:commit", "CommitReservation"],
  ["POST", "/v1/products/mug:restock", "RestockProduct"],
  ["POST", "/v1/orders", "CreateOrder"],
  ["GET", "/v1/orders/7", "GetOrder"],
  ["GET", "/v1/orders/7:watch", "WatchOrder"],
  ["GET", "/v1/orders/7:withUser", "GetOrderWithUser"],
  ["PUT", "/v1/orders/7/status", "UpdateOrderStatus"],
  ["GET", "/v1/users/7/orders", "ListOrdersByUser"],
  ["GET", "/v1/orders/7/payment", "GetPayment"],
  ["GET", "/v1/payments/7", "GetPayment"],
  ["GET", "/v1/users/7/notifications", "ListNotifications"],
])("%s %s is %s", (httpMethod, path, method) => {
  expect(meant(httpMethod, path)).toBe(method);
});

test("another HTTP method on a known path is told which ones there are", () => {
  expect(findRoute(routes, "DELETE", "/v1/users")).toEqual({ kind: "other-method", allow: ["GET", "POST"] });
  expect(findRoute(routes, "GET", "/v1/orders/7:cancel")).toEqual({ kind: "other-method", allow: ["POST"] });
});

test.each(["//", "//v1/users", "/v1/users/.", "/v1/users/..", "/v1/users/%2e", "/v1/users/.%2E", "/v1/users//orders"])(
  "%s is no path, though a template could take its segments",
  (path) => {
    expect(meant("GET", path)).toBe("no-path");
  },
);

test("dots are an id's like other letters when there is more of it", () => {
  expect(meant("GET", "/v1/users/...")).toBe("GetUser");
  expect(meant("GET", "/v1/users/.a%2e")).toBe("GetUser");
});

test.each(["/", "/v1", "/v1/nothing", "/v1/users/", "/V1/users", "/v1/users/7/orders/8"])("%s is no path", (path) => {
  expect(meant("GET", path)).toBe("no-path");
});

import { Code, ConnectError } from "@connectrpc/connect";
import { OrderService } from "@shop/contracts/order";
import { UserService } from "@shop/contracts/user";
import { expect, test } from "vitest";
import { errorAnswer } from "./error-body.ts";
import { BadRequestError } from "./faults.ts";
import { routesOf } from "./routes.ts";
import { statuses } from "./status.ts";

const routes = routesOf([UserService, OrderService]);
const routeOf = (name: string) => routes.find(({ method }) => method.name === name);

test("an error has its HTTP status, gRPC's name for it and its message", () => {
  expect(errorAnswer(new ConnectError("there is no user 7", Code.NotFound))).toEqual({
    httpStatus: 404,
    body: { error: { code: 404, status: "NOT_FOUND", message: "there is no user 7", details: [] } },
  });
});

test.each([
  [Code.FailedPrecondition, 400],
  [Code.AlreadyExists, 409],
  [Code.DeadlineExceeded, 504],
  [Code.Unavailable, 503],
  [Code.ResourceExhausted, 429],
  [Code.Unauthenticated, 401],
])("code %i is HTTP %i", (code, http) => {
  expect(statuses[code].http).toBe(http);
});

test("a bad request names its fields", () => {
  const { body } = errorAnswer(new BadRequestError([{ field: "name", description: "must be a string" }]));
  expect(body.error).toMatchObject({ code: 400, status: "INVALID_ARGUMENT", message: "name: must be a string" });
  expect(body.error.details).toEqual([
    {
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: [{ field: "name", description: "must be a string" }],
    },
  ]);
});

test("an unexpected error says nothing of itself", () => {
  const text = JSON.stringify(errorAnswer(new Error("password is hunter2 at 10.0.0.1")));
  expect(text).not.toContain("hunter2");
  expect(JSON.parse(text)).toMatchObject({ httpStatus: 500, body: { error: { status: "INTERNAL" } } });
});

test("a server's violations are told in the route's spelling", () => {
  const error = new ConnectError("items[1].product_id: pattern", Code.InvalidArgument);
  // Violations { violation: { field: { items[1], product_id }, message: "does not match" } }
  const path = [...step("items", 1), ...step("product_id")];
  error.details.push({
    type: "buf.validate.Violations",
    value: field(1, [...field(5, path), ...field(3, ascii("does not match"))]),
  });
  expect(errorAnswer(error, routeOf("CreateOrder")).body.error.details).toMatchObject([
    { fieldViolations: [{ field: "items[1].productId", description: "does not match" }] },
  ]);
});

test("where the body is one field, its fields stand at the top", () => {
  const error = new ConnectError("user.email: email", Code.InvalidArgument);
  const path = [...step("user"), ...step("email")];
  error.details.push({ type: "buf.validate.Violations", value: field(1, field(5, path)) });
  expect(errorAnswer(error, routeOf("UpdateUser")).body.error.details).toMatchObject([
    { fieldViolations: [{ field: "email", description: "breaks a rule" }] },
  ]);
});

function step(name: string, index?: number): number[] {
  return [...field(1, [...field(2, ascii(name)), ...(index === undefined ? [] : [(6 << 3) | 0, index])])];
}

/** A length-delimited field of the wire format, shorter than 128 bytes. */
function field(number: number, bytes: Iterable<number>): Uint8Array {
  const content = [...bytes];
  return Uint8Array.from([(number << 3) | 2, content.length, ...content]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

import { expect, test } from "vitest";
import { inwardMetadata, outwardMetadata } from "./metadata.ts";

const names = (headers: Headers): string[] => [...headers.keys()];

test("a caller's own metadata goes in", () => {
  const given = new Headers({
    authorization: "Bearer t",
    "idempotency-key": "k",
    "x-tenant": "blue",
    "token-bin": "AA",
  });
  expect(names(inwardMetadata(given))).toEqual(["authorization", "idempotency-key", "token-bin", "x-tenant"]);
});

test.each([
  "connection",
  "host",
  "te",
  "content-type",
  "content-length",
  "accept-encoding",
  "grpc-timeout",
  "connect-protocol-version",
  "traceparent",
  "cookie",
  "x-weft-caller",
  "x-forwarded-for",
  "x-correlation-id",
])("%s stays outside", (name) => {
  expect(names(inwardMetadata(new Headers({ [name]: "x" })))).toEqual([]);
});

test("a service's own metadata goes out, and the protocol's stays", () => {
  const given = new Headers({
    "idempotent-replayed": "true",
    "x-correlation-id": "c",
    "content-type": "application/grpc",
    "grpc-status": "5",
    "grpc-encoding": "gzip",
  });
  expect(names(outwardMetadata(given))).toEqual(["idempotent-replayed", "x-correlation-id"]);
});

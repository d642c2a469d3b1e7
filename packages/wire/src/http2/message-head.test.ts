import { describe, expect, it } from "vitest";
import { readRequestHead, readResponseHead, trailersProblem } from "./message-head.ts";

const request = [":method", "POST", ":scheme", "http", ":path", "/a.B/C", ":authority", "host:1"];

describe("a request", () => {
  it("is known by its pseudo-header fields, in any order", () => {
    expect(readRequestHead([...request, "te", "trailers", "content-length", "12"])).toEqual({
      ...{ method: "POST", scheme: "http", path: "/a.B/C", authority: "host:1" },
      ...{ contentLength: 12, fieldsAt: 8 },
    });
    expect(readRequestHead([":path", "*", ":method", "OPTIONS", ":scheme", "https"])).toEqual({
      ...{ method: "OPTIONS", scheme: "https", path: "*", authority: "", contentLength: undefined, fieldsAt: 6 },
    });
  });

  it.each([
    ["without a method", [":scheme", "http", ":path", "/"], "has :method"],
    ["without a scheme", [":method", "GET", ":path", "/"], "has :method, :scheme"],
    ["without a path", [":method", "GET", ":scheme", "http"], ":path"],
    ["of a tunnel", [":method", "CONNECT", ":authority", "host:1"], "has :method, :scheme and :path"],
    ["with an empty path", [":method", "GET", ":scheme", "http", ":path", ""], "begins with a slash"],
    ["with a path without a slash", [":method", "GET", ":scheme", "http", ":path", "a.B/C"], "begins with a slash"],
    ["with * as a path, but no OPTIONS", [":method", "GET", ":scheme", "http", ":path", "*"], "begins with a slash"],
    ["with a path twice", [...request, ":path", "/other"], ":path is unknown, comes twice"],
    ["with a response's field", [...request, ":status", "200"], ":status is unknown"],
    ["with a field that nobody knows", [...request, ":protocol", "websocket"], ":protocol is unknown"],
    ["with one behind a field", [...request.slice(2), "te", "trailers", ":method", "GET"], "has :method"],
    ["with a second one behind a field", [...request, "te", "trailers", ":path", "/"], "stands behind another field"],
    ["with a length that is no number", [...request, "content-length", "-1"], "no number"],
    ["with a length of many digits", [...request, "content-length", "1".repeat(16)], "no number"],
    ["with two lengths", [...request, "content-length", "1", "content-length", "2"], "two things"],
  ])("%s is malformed", (_, fields, problem) => {
    expect(readRequestHead(fields)).toContain(problem);
  });

  it("may say its length twice alike", () => {
    expect(readRequestHead([...request, "content-length", "1", "content-length", "1"])).toMatchObject({
      contentLength: 1,
    });
  });
});

describe("a response", () => {
  it("is known by its status", () => {
    expect(readResponseHead([":status", "200", "content-type", "application/grpc"])).toEqual({
      ...{ status: 200, contentLength: undefined, fieldsAt: 2 },
    });
  });

  it.each([
    ["without a status", ["content-type", "text/plain"], "has :status"],
    ["with a status of two digits", [":status", "20"], "three digits"],
    ["with a status of 060", [":status", "060"], "three digits"],
    ["with two of them", [":status", "200", ":status", "200"], "comes twice"],
    ["with a request's field", [":status", "200", ":path", "/"], ":path is unknown"],
    ["with a length that is no number", [":status", "200", "content-length", "1e3"], "no number"],
  ])("%s is malformed", (_, fields, problem) => {
    expect(readResponseHead(fields)).toContain(problem);
  });
});

it("trailers have no pseudo-header field", () => {
  expect(trailersProblem(["grpc-status", "0"])).toBeUndefined();
  expect(trailersProblem(["grpc-status", "0", ":status", "200"])).toContain(":status is unknown");
});

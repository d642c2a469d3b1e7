import fc from "fast-check";
import { expect, test } from "vitest";
import { isBadRequest } from "../transcoding/index.ts";
import { readTarget } from "./target.ts";

const read = (raw: string) => {
  const { path, query } = readTarget(raw);
  return [path, [...query]];
};

test("a target is split at its first question mark, and nothing in it is resolved", () => {
  expect(read("/v1/users?pageToken=a?b//../c")).toEqual(["/v1/users", [["pageToken", "a?b//../c"]]]);
  expect(read("//x/v1/../products?")).toEqual(["//x/v1/../products", []]);
  expect(read("/v1\\users/%2e%2E?a=%2B+1")).toEqual(["/v1\\users/%2e%2E", [["a", "+ 1"]]]);
});

test("of a whole address the host is left out", () => {
  expect(read("http://shop.example:80/v1/users?a=1")).toEqual(["/v1/users", [["a", "1"]]]);
  expect(read("HTTPS://shop.example?a=http://b/")).toEqual(["", [["a", "http://b/"]]]);
});

test("whatever target comes, it is split or refused, and never anything else", () => {
  fc.assert(
    fc.property(fc.string(), (raw) => {
      try {
        const { path } = readTarget(raw);
        expect(path).not.toContain("?");
      } catch (error) {
        if (!isBadRequest(error)) throw error;
      }
    }),
  );
});

import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStubbedEdge, type StubbedEdge } from "../testing/stubbed-edge.ts";

let edge: StubbedEdge;

beforeAll(async () => {
  edge = await openStubbedEdge();
});
afterAll(() => edge?.close());

/** The answer to a request target as it is: `fetch` would tidy it first. */
function answerTo(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(edge.url, { path, headers: { connection: "close", ...headers } }, async (response) => {
      const parts = await response.toArray();
      resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() });
    });
    outgoing.on("error", reject).end();
  });
}

test.each([
  ["empty segments alone", "//"],
  ["an empty first segment, which looks like a host", "//x/v1/products"],
  ["an empty first segment before a path that exists", "//v1/users"],
  ["an empty segment inside", "/v1//products"],
  ["an empty last segment", "/v1/products/"],
  ["a way up and down again", "/v1/x/../products"],
  ["a way up over the top", "/../v1/products"],
  ["a way up at the end", "/v1/products/x/.."],
  ["a way that stays", "/v1/./products"],
  ["a way up as an id", "/v1/products/.."],
  ["an escaped way up", "/v1/x/%2e%2E/products"],
  ["a half escaped way up", "/v1/x/.%2e/products"],
  ["an escaped dot as an id", "/v1/products/%2e"],
  ["backslashes", "/v1\\products"],
  ["another case", "/V1/products"],
  ["an escaped slash", "/v1%2Fproducts"],
])("%s is 404: %s", async (_what, path) => {
  const { status, text } = await answerTo(path);
  expect(status).toBe(404);
  expect(JSON.parse(text)).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } });
});

test.each([
  ["in a segment that a route takes", "/v1/users/%zz"],
  ["in a path that no route has", "/v1/nothing/at/all/%zz"],
  ["cut off", "/v1/users/%4"],
  ["that is no UTF-8", "/v1/users/%ff"],
  ["in the query's values", "/v1/users?pageToken=%zz"],
  ["in the query's names", "/v1/users?%ff=1"],
])("an escape %s is 400: %s", async (_what, path) => {
  const { status, text } = await answerTo(path);
  expect(status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
});

test.each([
  ["a query of nothing", "/v1/users?"],
  ["the whole address, as a proxy sends it", "http://shop.example/v1/users"],
])("%s is read as it stands: %s", async (_what, path) => {
  expect(await answerTo(path)).toMatchObject({ status: 200 });
});

test("no bad target is an error of the gateway's own", () => {
  expect(edge.hidden).toEqual([]);
});

test.each(["::1:80", "host:port", "a b"])("a Host that is none is 400 on an RPC's path: %s", async (host) => {
  expect((await answerTo("/shop.user.v1.UserService/GetUser", { host })).status).toBe(400);
});

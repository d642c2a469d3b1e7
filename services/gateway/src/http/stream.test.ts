import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { collect } from "../testing/collect.ts";
import { openStubbedEdge, type StubbedEdge } from "../testing/stubbed-edge.ts";

const order = "c0000000-0000-4000-8000-000000000001";
let edge: StubbedEdge;

beforeEach(async () => {
  edge = await openStubbedEdge();
});
afterEach(() => edge?.close());

const watch = (id: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${edge.url}/v1/orders/${id}:watch`, init);

/** Frames of a body as they come, each ended by `separator`. */
async function* framesOf(response: Response, separator: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator)) {
      yield text.slice(0, end);
      text = text.slice(end + separator.length);
    }
  }
}

test("a stream is a JSON message a line, as they come", async () => {
  const leaving = new AbortController();
  const response = await watch(order, { signal: leaving.signal });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("application/x-ndjson");
  const first = await framesOf(response, "\n").next();
  expect(JSON.parse(first.value ?? "")).toMatchObject({ order: { id: order, status: "ORDER_STATUS_PENDING" } });
  leaving.abort();
});

test("a stream of the service that ends ends the answer", async () => {
  const text = await (await watch("c0000000-0000-4000-8000-000000000004")).text();
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ order: { status: "ORDER_STATUS_DELIVERED" } }]);
});

test("who accepts server-sent events gets those, and is told of the end", async () => {
  const accept = { headers: { accept: "text/event-stream" } };
  const response = await watch("c0000000-0000-4000-8000-000000000004", accept);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const frames = await collect(framesOf(response, "\n\n"));
  expect(frames).toEqual([expect.stringMatching(/^data: \{"order":/), "event: end\ndata: {}"]);
});

test("an error before the first message has its own status", async () => {
  const response = await watch("f0000000-0000-4000-8000-000000000000");
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { status: "NOT_FOUND" } });
});

test("an error after the first message is the last line", async () => {
  const response = await watch(order, { headers: { "x-request-timeout": "300" } });
  const lines = (await collect(framesOf(response, "\n"))).map((line) => JSON.parse(line));
  expect(lines).toMatchObject([{ order: { id: order } }, { error: { code: 504, status: "DEADLINE_EXCEEDED" } }]);
});

test("who goes away ends the call at the service", async () => {
  const ended = Promise.withResolvers<void>();
  const stream = vi.spyOn(edge.forwarder, "stream");
  const leaving = new AbortController();
  const response = await watch(order, { signal: leaving.signal });
  await framesOf(response, "\n").next();
  const signal = stream.mock.calls[0]?.[2].signal;
  signal?.addEventListener("abort", () => ended.resolve());
  leaving.abort();
  await ended.promise;
  expect(signal?.reason).toMatchObject({ rawMessage: "the caller went away" });
});

test("closing lets a stream run for its grace, and then ends it", async () => {
  const response = await watch(order);
  const frames = framesOf(response, "\n");
  await frames.next();
  await edge.edge.close(100);
  await expect(frames.next()).rejects.toThrow();
  await expect(fetch(`${edge.url}/v1/users`)).rejects.toThrow();
});

import type { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Http2Client } from "./client.ts";
import { meshLimits } from "./limits.ts";
import { request, SilentServer } from "./testing/silent-server.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client that has a call on its connection to each of the servers in turn. */
async function call(...servers: SilentServer[]): Promise<Http2Client> {
  const client = new Http2Client({
    dial: async () => servers.shift()?.socket as Duplex,
    limits: { ...meshLimits, pingIntervalMs: 1_000, pingTimeoutMs: 1_000 },
    clock: { now: () => Date.now() },
  });
  await callAgain(client);
  return client;
}

async function callAgain(client: Http2Client): Promise<void> {
  client.run({
    leave: undefined,
    start: (connection) => void connection.request(request.handler, request.fields, [], true),
    unavailable: (reason) => expect.fail(reason),
  });
  await vi.advanceTimersByTimeAsync(100);
}

it("a silent server that takes PINGs often is asked whether it lives, as often as the limits say", async () => {
  const server = new SilentServer({ takesPingMs: 1_000 });
  const client = await call(server);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.pings).toBeGreaterThanOrEqual(15);
  client.close();
});

it("one that takes them less often is asked less often", async () => {
  const server = new SilentServer({ takesPingMs: 20_000 });
  const client = await call(server);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.pings).toBe(2);
  client.close();
});

it("one that says nothing of it is asked no more than once in five minutes, as gRPC's servers demand", async () => {
  const server = new SilentServer();
  const client = await call(server);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.pings).toBe(0);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.pings).toBe(1);
  client.close();
});

it("a server that finds them too many is asked half as often on its next connection", async () => {
  const [first, second] = [new SilentServer({ takesPingMs: 2_000 }), new SilentServer({ takesPingMs: 2_000 })];
  const client = await call(first, second);
  await vi.advanceTimersByTimeAsync(60_000);
  const before = first.pings;
  first.tooManyPings();
  await vi.advanceTimersByTimeAsync(0);
  await callAgain(client);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(second.pings).toBeGreaterThan(0);
  expect(second.pings).toBeLessThan(0.75 * before);
  client.close();
});

it("one that doesn't answer is left, and the next call goes over a connection of its own", async () => {
  const [gone, back] = [
    new SilentServer({ takesPingMs: 1_000, answersPings: false }),
    new SilentServer({ takesPingMs: 1_000 }),
  ];
  const client = await call(gone, back);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(gone.pings).toBe(1);
  expect(gone.socket.destroyed).toBe(true);
  await callAgain(client);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(back.pings).toBeGreaterThan(0);
  client.close();
});

import { AsyncLocalStorage } from "node:async_hooks";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Http2Client } from "./client.ts";
import { errorCode } from "./protocol.ts";
import type { Http2Stream } from "./stream.ts";
import { request, SilentServer } from "./testing/silent-server.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client of servers that take one call a connection. */
function open(maxConnections: number) {
  const servers: SilentServer[] = [];
  const client = new Http2Client({
    dial: async (): Promise<Duplex> => {
      const server = new SilentServer({ maxStreams: 1 });
      servers.push(server);
      return server.socket;
    },
    maxConnections,
    clock: { now: () => Date.now() },
  });
  /** Resolves with the call's end. */
  async function call(): Promise<() => void> {
    const started = Promise.withResolvers<Http2Stream>();
    client.run({
      leave: undefined,
      start: (connection) => started.resolve(connection.request(request.handler, request.fields, [], true)),
      unavailable: (reason) => started.reject(new Error(reason)),
    });
    const stream = await started.promise;
    return () => stream.reset(errorCode.cancel);
  }
  return { client, servers, call };
}

it("a connection without a call is closed after ten seconds while there is another one", async () => {
  const { client, call } = open(3);
  const [first, second, third] = [await call(), await call(), await call()];
  expect(client.getState()).toEqual({ connections: 3, waiting: 0 });
  first();
  second();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(client.getState().connections).toBe(1);
  third();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(client.getState().connections).toBe(1);
  client.close();
});

it("the last one is closed after five minutes, and the next call opens another", async () => {
  const { client, servers, call } = open(1);
  const end = await call();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(client.getState().connections).toBe(1);
  end();
  await vi.advanceTimersByTimeAsync(290_000);
  expect(client.getState().connections).toBe(1);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(client.getState().connections).toBe(0);
  await call();
  expect(servers).toHaveLength(2);
  client.close();
});

it("a connection that has calls now and then is in use, though none is open when it is looked at", async () => {
  const { client, servers, call } = open(1);
  for (let second = 0; second < 900; second += 30) {
    (await call())();
    await vi.advanceTimersByTimeAsync(30_000);
  }
  expect(servers).toHaveLength(1);
  client.close();
});

it("a connection knows nothing of the call that it was opened for", async () => {
  const calls = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const client = new Http2Client({
    dial: async () => {
      seen.push(calls.getStore());
      const { socket } = new SilentServer();
      socket.on("data", () => seen.push(calls.getStore()));
      return socket;
    },
  });
  const waiting = { leave: undefined, start() {}, unavailable() {} };
  calls.run("a call", () => client.run(waiting));
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(1));
  expect(new Set(seen)).toEqual(new Set([undefined]));
  client.close();
});

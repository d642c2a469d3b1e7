import { afterEach, expect, it } from "vitest";
import { meshLimits } from "./index.ts";
import { clientOf, closeAll, serveProbe } from "./testing/probe.ts";

afterEach(closeAll);

/** A server that takes two streams a connection, and a client that may have so many connections. */
async function open(maxConnections: number) {
  const gate = Promise.withResolvers<void>();
  const running = new Set<string>();
  const server = await serveProbe(
    {
      async ask({ value }) {
        running.add(value);
        await gate.promise;
        running.delete(value);
        return { value };
      },
    },
    { limits: { ...meshLimits, maxConcurrentStreams: 2 } },
  );
  const client = clientOf(server.port, { maxConnections });
  const ask = async (value: string) => (await client.ask({ value })).value;
  return { ask, running, gate, server };
}

it("opens another connection where one is full, up to so many, and what finds no room waits", async () => {
  const { ask, running, gate } = await open(3);
  const names = Array.from({ length: 8 }, (_, i) => `${i}`);
  const calls = names.map(ask);
  await expect.poll(() => running.size).toBe(6);
  gate.resolve();
  expect(await Promise.all(calls)).toEqual(names);
});

it("has one connection unless it may have more", async () => {
  const { ask, running, gate } = await open(1);
  const calls = ["a", "b", "c"].map(ask);
  await expect.poll(() => running.size).toBe(2);
  gate.resolve();
  expect(await Promise.all(calls)).toEqual(["a", "b", "c"]);
});

it("goes on with the others when the server lets one go", async () => {
  const { ask, running, gate, server } = await open(3);
  const calls = Array.from({ length: 6 }, (_, i) => ask(`${i}`));
  await expect.poll(() => running.size).toBe(6);
  const drained = server.drain();
  await expect(ask("late")).rejects.toThrow("the call did not reach the server");
  gate.resolve();
  expect(await Promise.all(calls)).toHaveLength(6);
  await drained;
});

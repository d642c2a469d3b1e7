import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { abortable, inCurrentContext, mapMessages } from "./index.ts";

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield i;
}

async function read<T>(messages: AsyncIterable<T>, stopAfter = Number.POSITIVE_INFINITY): Promise<T[]> {
  const seen: T[] = [];
  for await (const message of messages) {
    seen.push(message);
    if (seen.length === stopAfter) break;
  }
  return seen;
}

test("the end of a stream is told once: when it was read, when its reader left, and when it failed", async () => {
  const ends: unknown[] = [];
  const end = (error: unknown) => void ends.push(error);
  expect(await read(mapMessages(count(3), { message: (n) => n * 2, end }))).toEqual([2, 4, 6]);
  expect(await read(mapMessages(count(3), { end }), 1)).toEqual([1]);
  const failing = async function* () {
    yield 1;
    throw new Error("broken");
  };
  const renamed = mapMessages(failing(), { error: () => new Error("renamed"), end });
  await expect(read(renamed)).rejects.toThrow("renamed");
  expect(ends).toEqual([undefined, undefined, new Error("renamed")]);
});

test("a reader that waits hears the abort at once, though the source hangs", async () => {
  const controller = new AbortController();
  const hanging = async function* () {
    yield 1;
    await new Promise(() => {});
  };
  const reading = read(abortable(hanging(), controller.signal));
  controller.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
});

test("a generator's body runs in the context in which it was handed over", async () => {
  const storage = new AsyncLocalStorage<string>();
  const look = async function* () {
    yield storage.getStore();
    await Promise.resolve();
    yield storage.getStore();
  };
  const bound = storage.run("call-1", () => inCurrentContext(look()));
  expect(await storage.run("reader", () => read(bound))).toEqual(["call-1", "call-1"]);
});

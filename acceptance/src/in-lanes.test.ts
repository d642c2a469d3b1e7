import { expect, it } from "vitest";
import { inLanes } from "./in-lanes.ts";

it("does the work for each item, so many at a time", async () => {
  const done: number[] = [];
  let [running, most] = [0, 0];
  await inLanes([1, 2, 3, 4, 5], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    done.push(item);
  });
  expect(done).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it("asks for an item when there is a lane for it, and for no more once the work has said so", async () => {
  let enough = false;
  const asked: number[] = [];
  function* untilEnough() {
    for (let n = 1; !enough; n++) {
      asked.push(n);
      yield n;
    }
  }
  await inLanes(untilEnough(), 2, async (n) => {
    await new Promise(setImmediate);
    enough = n === 3;
  });
  expect(asked).toEqual([1, 2, 3, 4]);
});

it("rejects when the work does", async () => {
  await expect(inLanes([1], 1, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
});

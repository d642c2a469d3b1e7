import { describe, expect, it } from "vitest";
import { createLanes } from "./lanes.ts";

interface Task {
  readonly key: string;
  readonly n: number;
  readonly gate: PromiseWithResolvers<void>;
}

function setUp(concurrency: number) {
  const running: string[] = [];
  const done: string[] = [];
  const lanes = createLanes<Task>({
    concurrency,
    async run([task]) {
      if (!task) return;
      const { key, n, gate } = task;
      running.push(`${key}${n}`);
      await gate.promise;
      running.splice(running.indexOf(`${key}${n}`), 1);
      done.push(`${key}${n}`);
    },
  });
  const add = (key: string, n: number): Task => {
    const task = { key, n, gate: Promise.withResolvers<void>() };
    lanes.add(key, task);
    return task;
  };
  return { lanes, add, running, done };
}

describe("lanes", () => {
  it("run tasks of one key one after the other, and of different keys side by side", async () => {
    const { lanes, add, running, done } = setUp(10);
    const [a1, a2, b1] = [add("a", 1), add("a", 2), add("b", 1)];
    expect(running).toEqual(["a1", "b1"]);
    a1.gate.resolve();
    await expect.poll(() => running).toEqual(["b1", "a2"]);
    a2.gate.resolve();
    b1.gate.resolve();
    await lanes.idle();
    expect(done.toSorted()).toEqual(["a1", "a2", "b1"]);
    expect(done.indexOf("a1")).toBeLessThan(done.indexOf("a2"));
  });

  it("run no more at once than they may", async () => {
    const { lanes, add, running } = setUp(2);
    const tasks = ["a", "b", "c"].map((key) => add(key, 1));
    expect(running).toEqual(["a1", "b1"]);
    for (const { gate } of tasks) gate.resolve();
    await lanes.idle();
    expect(running).toEqual([]);
  });

  it("run together what goes together, those of one key in their order, and no more than may", async () => {
    const runs: string[][] = [];
    const gates: PromiseWithResolvers<void>[] = [];
    const lanes = createLanes<string>({
      concurrency: 1,
      async run(tasks) {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        runs.push([...tasks]);
        await gate.promise;
      },
      together: (task) => (task.startsWith("x") ? undefined : { group: task[0], most: 4 }),
    });
    for (const task of ["a-k1-1", "a-k1-2", "b-k2-1", "a-k3-1", "x-k3-2", "a-k4-1", "a-k4-2", "a-k5-1"])
      lanes.add(task.slice(2, 4), task);
    // The first was alone when it began.
    for (let i = 0; i < 5; i++) {
      await expect.poll(() => gates.length).toBe(i + 1);
      gates[i]?.resolve();
    }
    await lanes.idle();
    expect(runs).toEqual([["a-k1-1"], ["b-k2-1"], ["a-k3-1", "a-k4-1", "a-k4-2", "a-k5-1"], ["a-k1-2"], ["x-k3-2"]]);
  });

  it("give back what has not begun, and are idle when the rest has ended", async () => {
    const { lanes, add, done } = setUp(1);
    const first = add("a", 1);
    add("a", 2);
    add("b", 1);
    expect(lanes.clear().map(({ key, n }) => `${key}${n}`)).toEqual(["a2", "b1"]);
    first.gate.resolve();
    await lanes.idle();
    expect(done).toEqual(["a1"]);
  });
});

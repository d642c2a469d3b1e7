import { AsyncLocalStorage } from "node:async_hooks";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Deadline, Deadlines } from "./deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_234_567 });
});
afterEach(() => {
  vi.useRealTimers();
});

const clock = { now: () => Date.now() };
/** How much later than its time one may be told: a tick of the wheel, and what the timer rounds up. */
const late = 5;

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: 0, max: 2_000_000 }),
  fc.integer({ min: 0, max: 200_000_000 }),
);
/** A deadline is added so long after the one before it; it may be taken back later, if it is not past by then. */
const steps = fc.array(
  fc.record({ after: fc.oneof(fc.nat(50), fc.nat(100_000)), ms: lengths, removedAfter: fc.option(lengths) }),
  { minLength: 1, maxLength: 30 },
);

it("each is told when its time is up, never earlier and hardly later, unless it was taken back", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const deadlines = new Deadlines(clock);
      const open = new Set<object>();
      for (const { after, ms, removedAfter } of all) {
        await vi.advanceTimersByTimeAsync(after);
        const due = clock.now() + ms;
        let isRemoved = false;
        const timed = {
          expire() {
            expect(isRemoved).toBe(false);
            expect(open.delete(timed)).toBe(true);
            expect(clock.now()).toBeGreaterThanOrEqual(due);
            expect(clock.now()).toBeLessThanOrEqual(due + late);
          },
        };
        open.add(timed);
        const deadline = deadlines.add(timed, ms);
        expect(deadlines.left(deadline)).toBe(ms);
        if (removedAfter === null) continue;
        setTimeout(() => {
          if (!open.has(timed)) return;
          deadlines.remove(deadline);
          isRemoved = true;
          open.delete(timed);
        }, removedAfter);
      }
      await vi.advanceTimersByTimeAsync(200_000_000 + late);
      expect(open.size).toBe(0);
    }),
    { numRuns: 200 },
  );
}, 60_000);

it("one that is taken back by another that expires with it is not told", async () => {
  const deadlines = new Deadlines(clock);
  const told: string[] = [];
  const pair: Deadline[] = [];
  for (const name of ["a", "b"]) {
    pair.push(
      deadlines.add(
        {
          expire() {
            told.push(name);
            for (const each of pair) deadlines.remove(each);
          },
        },
        100,
      ),
    );
  }
  await vi.advanceTimersByTimeAsync(200);
  expect(told).toHaveLength(1);
});

it("one that is added while others expire has its time", async () => {
  const deadlines = new Deadlines(clock);
  const told: number[] = [];
  const again = (): void => {
    told.push(clock.now());
    if (told.length < 3) deadlines.add({ expire: again }, 1_000);
  };
  const start = clock.now();
  deadlines.add({ expire: again }, 1_000);
  await vi.advanceTimersByTimeAsync(4_000);
  told.forEach((at, i) => {
    expect(at - start).toBeGreaterThanOrEqual(1_000 * (i + 1));
    expect(at - start).toBeLessThanOrEqual((1_000 + late) * (i + 1));
  });
  expect(told).toHaveLength(3);
});

it("a loop that stood still tells all that is due when it goes on, also those behind one that adds another", () => {
  let now = 0;
  const deadlines = new Deadlines({ now: () => now });
  const told: string[] = [];
  const expire = (name: string) => ({ expire: () => void told.push(name) });
  deadlines.add(
    {
      expire() {
        told.push("first");
        deadlines.add(expire("added"), 5);
      },
    },
    100,
  );
  for (const ms of [200, 1_000, 20_000]) deadlines.add(expire(String(ms)), ms);
  // The clock goes on, and the timers don't.
  now = 30_000;
  vi.advanceTimersByTime(105);
  expect(told).toEqual(["first", "200", "1000", "20000"]);
  now = 30_020;
  vi.advanceTimersByTime(20);
  expect(told.at(-1)).toBe("added");
});

it("none is told in the context of the call that happened to have the first one", async () => {
  vi.useRealTimers();
  const calls = new AsyncLocalStorage<string>();
  const deadlines = new Deadlines();
  const told = Promise.withResolvers<string | undefined>();
  calls.run("a call", () => deadlines.add({ expire() {} }, 1));
  deadlines.add({ expire: () => told.resolve(calls.getStore()) }, 10);
  expect(await told.promise).toBeUndefined();
});

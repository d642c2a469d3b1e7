import fc from "fast-check";
import { expect, test } from "vitest";
import { InFlight } from "./concurrency-limit-in-flight.ts";

test("a call is old when it has run for two to three seconds", () => {
  const calls = new InFlight();
  calls.begin(990);
  calls.begin(1_010);
  calls.begin(2_000);
  calls.end(2_000, 2_900);
  expect(calls).toMatchObject({ count: 2, old: 0 });
  calls.begin(3_000);
  expect(calls).toMatchObject({ count: 3, old: 1 });
  calls.advance(4_000);
  expect(calls).toMatchObject({ count: 3, old: 2 });
  calls.end(990, 4_000);
  calls.end(1_010, 4_000);
  expect(calls).toMatchObject({ count: 1, old: 0 });
});

test("whatever comes and goes, every call is counted once", () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 20_000 }),
    ends: fc.option(fc.nat(20), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const calls = new InFlight();
      const running: number[] = [];
      let now = 0;
      for (const { wait, ends } of steps) {
        now += wait;
        const [ended] = ends === undefined ? [] : running.splice(ends, 1);
        if (ended === undefined) {
          calls.begin(now);
          running.push(now);
        } else calls.end(ended, now);
        expect(calls.count).toBe(running.length);
        const second = Math.floor(now / 1_000);
        expect(calls.old).toBe(running.filter((each) => second - Math.floor(each / 1_000) >= 3).length);
      }
    }),
    { seed: 7 },
  );
});

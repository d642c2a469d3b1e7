import fc from "fast-check";
import { expect, test } from "vitest";
import { createRetryBudget } from "./retry-budget.ts";

function manualClock() {
  let time = 0;
  return { now: () => time, advance: (ms: number) => (time += ms) };
}

function drain(budget: { withdraw(): boolean }): number {
  let taken = 0;
  while (budget.withdraw()) taken += 1;
  return taken;
}

test("a new budget holds one second's worth of retries", () => {
  expect(drain(createRetryBudget({ clock: manualClock() }))).toBe(10);
});

test("ten calls earn one retry", () => {
  const budget = createRetryBudget({ perSecond: 0, capacity: 100, clock: manualClock() });
  for (let call = 0; call < 9; call++) budget.deposit();
  expect(budget.withdraw()).toBe(false);
  budget.deposit();
  expect(budget.withdraw()).toBe(true);
  expect(budget.withdraw()).toBe(false);
});

test("each second earns ten retries", () => {
  const clock = manualClock();
  const budget = createRetryBudget({ clock });
  drain(budget);
  clock.advance(2_500);
  expect(drain(budget)).toBe(25);
});

test("a quiet hour saves up no more than ten seconds' worth", () => {
  const clock = manualClock();
  const budget = createRetryBudget({ clock });
  clock.advance(3_600_000);
  expect(drain(budget)).toBe(100);
});

test("the state tells what was earned, spent and refused", () => {
  const budget = createRetryBudget({ perSecond: 1, clock: manualClock() });
  budget.deposit();
  budget.withdraw();
  budget.withdraw();
  expect(budget.getState()).toEqual({ balance: expect.closeTo(0.1), deposits: 1, withdrawals: 1, refused: 1 });
});

test("whatever the traffic, retries stay within 10 % of calls plus 10 a second", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("call" as const), count: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant("retry" as const), count: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant("wait" as const), count: fc.integer({ min: 0, max: 5_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const clock = manualClock();
      const budget = createRetryBudget({ clock });
      let calls = 0;
      let retries = 0;
      for (const { kind, count } of steps) {
        if (kind === "wait") clock.advance(count);
        else if (kind === "call") for (let i = 0; i < count; i++, calls++) budget.deposit();
        else for (let i = 0; i < count; i++) if (budget.withdraw()) retries += 1;
        expect(calls + retries).toBeLessThanOrEqual(1.1 * calls + 10 * (clock.now() / 1000 + 1) + 1e-6);
      }
    }),
  );
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EarliestFirst } from "./earliest-first.ts";

const dues = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 40 });

describe("EarliestFirst", () => {
  it("always has the entry first that is due earliest, whatever was rescheduled or set aside", () => {
    fc.assert(
      fc.property(dues, fc.array(fc.record({ aside: fc.nat(3), due: fc.nat(1_000) })), (initial, steps) => {
        const heap = new EarliestFirst(initial.map((due, item) => ({ item, due })));
        const expected = new Map(initial.map((due, item) => [item, due]));
        for (const { aside, due } of steps) {
          const passed = new Set<number>();
          const check = (): number | undefined => {
            const left = [...expected].filter(([item]) => !passed.has(item));
            const first = heap.first();
            expect(first?.due).toBe(left.length === 0 ? undefined : Math.min(...left.map(([, each]) => each)));
            if (first !== undefined) expect(expected.get(first.item)).toBe(first.due);
            return first?.item;
          };
          for (let i = 0; i < aside; i++) {
            const item = check();
            if (item === undefined) break;
            passed.add(item);
            heap.setAside();
          }
          const item = check();
          if (item !== undefined) {
            heap.reschedule(due);
            expected.set(item, due);
          }
          heap.takeBack((entry) => {
            expected.set(entry.item, entry.due / 2);
            return entry.due / 2;
          });
          passed.clear();
          check();
        }
        expect(heap.entries()).toHaveLength(initial.length);
      }),
    );
  });
});

import { expect, it } from "vitest";
import { seeded } from "./seeded.ts";

const draw = (seed: number): readonly number[] => Array.from({ length: 1_000 }, seeded(seed));

it("the same seed gives the same numbers, another one others", () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it("numbers spread evenly from 0 up to 1", () => {
  const numbers = draw(1);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(numbers.filter((number) => number < 0.5).length).toBeGreaterThan(450);
  expect(numbers.filter((number) => number < 0.5).length).toBeLessThan(550);
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { seededRandom } from "./testing/seeded-random.ts";
import { weightedDraw } from "./weighted-draw.ts";

function drawn(weights: readonly number[], times: number, seed: number): readonly number[] {
  const draw = weightedDraw(weights);
  const random = seededRandom(seed);
  const counts = weights.map(() => 0);
  for (let i = 0; i < times; i++) {
    const index = draw(random);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count) => count / times);
}

it("draws each in proportion to its weight", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }), (weights) => {
      const sum = weights.reduce((total, weight) => total + weight, 0);
      drawn(weights, 20_000, 5).forEach((share, i) => {
        const expected = (weights[i] ?? 0) / sum;
        // Six standard deviations.
        expect(Math.abs(share - expected)).toBeLessThan(6 * Math.sqrt((expected * (1 - expected)) / 20_000) + 1e-9);
      });
    }),
    { numRuns: 50, seed: 1 },
  );
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candidate } from "./testing/candidate.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import { createWeightedRoundRobin } from "./weighted-round-robin.ts";

function weighted(weights: readonly number[], seed = 1, clock = { now: () => 0 }) {
  const balancer = createWeightedRoundRobin({ clock, random: seededRandom(seed) });
  balancer.update(weights.map((weight, i) => candidate(`e${i}`, { weight })));
  return balancer;
}

function take(balancer: ReturnType<typeof weighted>, times: number, admits = (_: { id: string }) => true) {
  return Array.from({ length: times }, () => balancer.pick(admits)?.id ?? "nobody");
}

function countOf(ids: readonly string[], id: string): number {
  return ids.filter((each) => each === id).length;
}

describe("weighted round robin", () => {
  it("gives 1 : 2 : 4 to weights of 1 : 2 : 4, in every stretch of seven", () => {
    const balancer = weighted([1, 2, 4]);
    for (let i = 0; i < 20; i++) {
      const taken = take(balancer, 7);
      expect(["e0", "e1", "e2"].map((id) => countOf(taken, id))).toEqual([1, 2, 4]);
    }
  });

  it("is within a turn or two of everyone's due share at any time, whatever the weights", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
        fc.nat(),
        fc.integer({ min: 1, max: 500 }),
        (weights, seed, picks) => {
          const taken = take(weighted(weights, seed), picks);
          const sum = weights.reduce((total, weight) => total + weight, 0);
          weights.forEach((weight, i) => {
            expect(Math.abs(countOf(taken, `e${i}`) - (picks * weight) / sum)).toBeLessThan(2);
          });
        },
      ),
    );
  });

  it("shares the turns of one that doesn't admit by weight", () => {
    const taken = take(weighted([1, 2, 4, 8]), 700, ({ id }) => id !== "e3");
    expect(["e0", "e1", "e2"].map((id) => Math.round(countOf(taken, id) / 10))).toEqual([10, 20, 40]);
  });

  it("lets one that was out not catch up on what it missed", () => {
    const balancer = weighted([1, 1, 100]);
    take(balancer, 1_000, ({ id }) => id !== "e2");
    const taken = take(balancer, 1_020);
    for (const id of ["e0", "e1"]) expect(Math.abs(countOf(taken, id) - 10)).toBeLessThan(3);
  });

  it("keeps everyone's turn while the list is given to it anew", () => {
    const balancer = weighted([1, 2, 4]);
    const taken: string[] = [];
    for (let i = 0; i < 70; i++) {
      balancer.update([1, 2, 4].map((weight, each) => candidate(`e${each}`, { weight })));
      taken.push(...take(balancer, 1));
    }
    expect(["e0", "e1", "e2"].map((id) => countOf(taken, id))).toEqual([10, 20, 40]);
  });

  it("lets a new one's weight grow", () => {
    let now = 0;
    const balancer = weighted([1, 1, 1, 1], 1, { now: () => now });
    const shares: number[] = [];
    const list = ["e0", "e1", "e2", "e3"].map((id) => candidate(id));
    balancer.update([...list, candidate("late", { since: 1 })]);
    for (; now < 12_000; now += 1) {
      if (now % 2_000 === 0) shares.push(0);
      if (balancer.pick(() => true)?.id === "late") shares.push((shares.pop() ?? 0) + 1);
    }
    // The even share of 2,000 is 400.
    const [first = 0, second = 0, third = 0, , , last = 0] = shares;
    expect(first).toBeLessThan(80);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(Math.abs(last - 400)).toBeLessThan(5);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createConsistentHash } from "./consistent-hash.ts";
import type { Candidate } from "./contract.ts";
import { hash } from "./hash.ts";
import { candidate, candidates } from "./testing/candidate.ts";
import { seededRandom } from "./testing/seeded-random.ts";

const keys = Array.from({ length: 5_000 }, (_, i) => `customer-${i}`);

function ring(list: readonly Candidate[], seed = 1) {
  const balancer = createConsistentHash({ random: seededRandom(seed) });
  balancer.update(list);
  return balancer;
}

function ownerOf(balancer: ReturnType<typeof ring>, key: string, admits = (_: Candidate) => true): string | undefined {
  return balancer.pick(admits, key)?.id;
}

describe("consistent hash", () => {
  it("sends a key to the same endpoint in every process, whatever the order of its list", () => {
    const [here, there] = [ring(candidates(10), 1), ring(candidates(10).toReversed(), 2)];
    for (const key of keys) expect(ownerOf(here, key)).toBe(ownerOf(there, key));
  });

  it("does so even for a key between two endpoints that have a point in common", () => {
    const [one, other] = collision();
    const list = [candidate(one), candidate(other)];
    expect(ownerOf(ring(list), one)).toBe(ownerOf(ring(list.toReversed()), one));
  });

  it("moves the keys of one that leaves, and no other", () => {
    const [before, after] = [ring(candidates(10)), ring(candidates(10).filter(({ id }) => id !== "e4"))];
    const moved = keys.filter((key) => ownerOf(before, key) !== ownerOf(after, key));
    expect(moved.every((key) => ownerOf(before, key) === "e4")).toBe(true);
    expect(moved.length / keys.length).toBeGreaterThan(0.07);
    expect(moved.length / keys.length).toBeLessThan(0.13);
  });

  it("moves keys to one that joins, and nowhere else", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.string({ minLength: 4 }), (count, newcomer) => {
        const before = ring(candidates(count));
        const after = ring([...candidates(count), candidate(newcomer)]);
        for (const key of keys.slice(0, 300)) {
          if (ownerOf(after, key) !== newcomer) expect(ownerOf(after, key)).toBe(ownerOf(before, key));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("spreads the keys of one that leaves over all the others", () => {
    const [before, after] = [ring(candidates(10)), ring(candidates(10).slice(1))];
    const heirs = keys.filter((key) => ownerOf(before, key) === "e0").map((key) => ownerOf(after, key));
    for (let i = 1; i < 10; i++) expect(heirs.filter((id) => id === `e${i}`).length).toBeGreaterThan(heirs.length / 30);
  });

  it("goes to the next on the ring past one that doesn't admit: where the key would go without it", () => {
    const [all, without] = [ring(candidates(10)), ring(candidates(10).filter(({ id }) => id !== "e4"))];
    for (const key of keys) expect(ownerOf(all, key, ({ id }) => id !== "e4")).toBe(ownerOf(without, key));
  });

  it("asks nobody twice", () => {
    const balancer = ring(candidates(10));
    let asked = 0;
    const refuse = (): boolean => {
      asked += 1;
      return false;
    };
    expect(balancer.pick(refuse, "key")).toBeUndefined();
    expect(asked).toBe(10);
  });

  it("gives keys by weight: nobody is further than a quarter from its part", () => {
    const list = [1, 2, 4, 1, 2].map((weight, i) => candidate(`e${i}`, { weight }));
    const balancer = ring(list);
    for (const { id, weight } of list) {
      const share = keys.filter((key) => ownerOf(balancer, key) === id).length / keys.length;
      expect(Math.abs(share / (weight / 10) - 1)).toBeLessThan(0.25);
    }
  });

  it("scores each by its part of the ring", () => {
    const balancer = ring(candidates(10));
    const scores = balancer.scores();
    expect(scores.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1);
    for (const { candidate: owner, score } of scores) {
      const share = keys.filter((key) => ownerOf(balancer, key) === owner.id).length / keys.length;
      expect(Math.abs(share - score)).toBeLessThan(0.03);
    }
  });

  it("sends calls without a key anywhere", () => {
    const balancer = ring(candidates(10));
    const taken = Array.from({ length: 2_000 }, () => balancer.pick(() => true)?.id);
    for (let i = 0; i < 10; i++) expect(taken.filter((id) => id === `e${i}`).length).toBeGreaterThan(120);
  });
});

/** Two ids of the same hash, the point where both begin. */
function collision(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0; ; i++) {
    const id = `e${i}`;
    const other = seen.get(hash(id));
    if (other !== undefined) return [other, id];
    seen.set(hash(id), id);
  }
}

import { describe, expect, it } from "vitest";
import { createRoundRobin } from "./round-robin.ts";
import { candidate, candidates } from "./testing/candidate.ts";
import { seededRandom } from "./testing/seeded-random.ts";

function roundRobin(seed = 1, clock = { now: () => 0 }) {
  return createRoundRobin({ clock, random: seededRandom(seed) });
}

function take(balancer: ReturnType<typeof roundRobin>, times: number, admits = (_: { id: string }) => true) {
  return Array.from({ length: times }, () => balancer.pick(admits)?.id ?? "nobody");
}

function countOf(ids: readonly string[], id: string): number {
  return ids.filter((each) => each === id).length;
}

describe("round robin", () => {
  it("gives each its turn before anyone has a second", () => {
    const balancer = roundRobin();
    balancer.update(candidates(5));
    for (let round = 0; round < 4; round++) expect(new Set(take(balancer, 5)).size).toBe(5);
  });

  it("starts elsewhere and goes round otherwise in each client", () => {
    const firstRounds = Array.from({ length: 40 }, (_, seed) => {
      const balancer = roundRobin(seed);
      balancer.update(candidates(5));
      return take(balancer, 5);
    });
    expect(new Set(firstRounds.map(([first]) => first)).size).toBe(5);
    const followers = firstRounds.map((round) => round[(round.indexOf("e0") + 1) % 5]);
    expect(new Set(followers).size).toBe(4);
  });

  it("spreads the turns of one that doesn't admit evenly over the others", () => {
    const balancer = roundRobin();
    balancer.update(candidates(5));
    const taken = take(balancer, 400, ({ id }) => id !== "e2");
    for (const id of ["e0", "e1", "e3", "e4"]) expect(countOf(taken, id)).toBe(100);
  });

  it("stays even while the list is given to it anew", () => {
    const balancer = roundRobin();
    const taken: string[] = [];
    for (let i = 0; i < 250; i++) {
      balancer.update(candidates(5).toReversed());
      taken.push(...take(balancer, 2));
    }
    for (let i = 0; i < 5; i++) expect(countOf(taken, `e${i}`)).toBe(100);
  });

  it("lets a new one pass some of its turns, which the others share", () => {
    let now = 0;
    const balancer = roundRobin(3, { now: () => now });
    balancer.update(candidates(4));
    now = 3_000;
    balancer.update([...candidates(4), candidate("late", { since: 1_000 })]);
    const taken = take(balancer, 4_200);
    // A fifth of its share: one in 21.
    expect(countOf(taken, "late")).toBeGreaterThan(150);
    expect(countOf(taken, "late")).toBeLessThan(250);
    for (let i = 0; i < 4; i++) expect(Math.abs(countOf(taken, `e${i}`) - 1_000)).toBeLessThan(30);
    now = 11_000;
    expect(countOf(take(balancer, 500), "late")).toBe(100);
  });
});

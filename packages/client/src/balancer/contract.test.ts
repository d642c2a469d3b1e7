import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { EndpointLoad } from "./endpoint-load.ts";
import { candidate, candidates } from "./testing/candidate.ts";
import { everyBalancer } from "./testing/every-balancer.ts";
import { seededRandom } from "./testing/seeded-random.ts";

const fleet = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 8 }),
    weight: fc.constantFrom(0.5, 1, 1, 1, 2, 100),
    zone: fc.constantFrom("a", "b", undefined),
    since: fc.constantFrom(0, 5_000, 9_000),
    admitted: fc.boolean(),
    inFlight: fc.nat(3),
  }),
  { selector: ({ id }) => id, maxLength: 30 },
);

describe.each(Object.entries(everyBalancer))("%s", (_, create) => {
  it("has nobody before the first list", () => {
    const balancer = create({ clock: { now: () => 0 }, random: seededRandom(1) });
    expect(balancer.pick(() => true, "key")).toBeUndefined();
    expect(balancer.scores()).toEqual([]);
  });

  it("picks one that admits, and nobody only when none does", () => {
    fc.assert(
      fc.property(fleet, fleet, fc.nat(), fc.option(fc.string(), { nil: undefined }), (before, after, seed, key) => {
        let now = 0;
        const balancer = create({ clock: { now: () => now }, random: seededRandom(seed) });
        for (const members of [before, after]) {
          now += 5_000;
          const list = members.map(({ id, weight, zone, since }) => candidate(id, { weight, zone, since }));
          const admitted = new Set(list.filter((_, i) => members[i]?.admitted));
          members.forEach(({ inFlight }, i) => {
            for (let call = 0; call < inFlight; call++) list[i]?.load.begin(now);
          });
          balancer.update(list);
          for (let i = 0; i < 20; i++) {
            const picked = balancer.pick((each) => admitted.has(each), key);
            expect(picked === undefined).toBe(admitted.size === 0);
            expect(picked === undefined || admitted.has(picked)).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("finds the only one that admits among many, and comes back to all when they do", () => {
    const balancer = create({ clock: { now: () => 0 }, random: seededRandom(2) });
    const list = candidates(300);
    balancer.update(list);
    for (let i = 0; i < 50; i++) expect(balancer.pick(({ id }) => id === "e123")?.id).toBe("e123");
    const seen = new Set(Array.from({ length: 6_000 }, () => balancer.pick(() => true)?.id));
    expect(seen.size).toBe(300);
  });

  it("never picks one that left the list", () => {
    const balancer = create({ clock: { now: () => 0 }, random: seededRandom(3) });
    const list = candidates(5);
    balancer.update(list);
    for (let i = 0; i < 7; i++) balancer.pick(() => true);
    balancer.update(list.slice(1));
    for (let i = 0; i < 200; i++) expect(balancer.pick(() => true, String(i))?.id).not.toBe("e0");
    balancer.update([]);
    expect(balancer.pick(() => true)).toBeUndefined();
  });

  it("explains itself: a finite score for each candidate", () => {
    const balancer = create({ clock: { now: () => 0 }, random: seededRandom(4) });
    const list = candidates(5).map((each, i) => ({ ...each, zone: i < 2 ? "a" : "b" }));
    balancer.update(list);
    balancer.pick(() => true);
    const scores = balancer.scores();
    expect(new Set(scores.map((score) => score.candidate))).toEqual(new Set(list));
    expect(scores).toHaveLength(5);
    for (const { score } of scores) expect(score).toSatisfy(Number.isFinite);
  });

  it("explains itself with one look at each candidate, or two, however many there are", () => {
    const balancer = create({ clock: { now: () => 0 }, random: seededRandom(5) });
    balancer.update(candidates(100));
    const looks = vi.spyOn(EndpointLoad.prototype, "latency");
    onTestFinished(() => looks.mockRestore());
    balancer.scores();
    expect(looks.mock.calls.length).toBeLessThanOrEqual(200);
  });
});

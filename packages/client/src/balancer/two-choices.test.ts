import { describe, expect, it } from "vitest";
import type { Candidate } from "./contract.ts";
import { createLeastRequest } from "./least-request.ts";
import { createPeakEwma } from "./peak-ewma.ts";
import { candidate, candidates, measure } from "./testing/candidate.ts";
import { seededRandom } from "./testing/seeded-random.ts";

const parts = () => ({ clock: { now: () => 0 }, random: seededRandom(1) });

/** The part of many picks that each would get, with nothing in flight from one to the next. */
function shares(list: readonly Candidate[], balancer = createPeakEwma(parts())): readonly number[] {
  balancer.update(list);
  const picks = Array.from({ length: 7_000 }, () => balancer.pick(() => true));
  return list.map((each) => picks.filter((picked) => picked === each).length / picks.length);
}

describe("peak EWMA", () => {
  it("takes the quicker of two, and of many never the slowest", () => {
    const list = candidates(5);
    list.forEach((each, i) => {
      measure(each, 10 + i, 0);
    });
    const [first = 0, second = 0, , , last = 1] = shares(list);
    expect(first).toBeGreaterThan(second);
    expect(last).toBe(0);
  });

  it("takes the slower one when the quicker has so many calls that one more takes longer there", () => {
    const [quick, slow] = [candidate("quick"), candidate("slow")];
    measure(quick, 10, 0);
    measure(slow, 35, 0);
    for (let calls = 0; calls < 3; calls++) {
      expect(shares([quick, slow])).toEqual([1, 0]);
      quick.load.begin(0);
    }
    expect(shares([quick, slow])).toEqual([0, 1]);
  });

  it("judges one whose latency is unknown by its calls in flight alone, however quick or slow the others are", () => {
    for (const latency of [0.05, 500]) {
      const [newcomer, ...others] = candidates(5);
      if (newcomer === undefined) return;
      for (const each of others) measure(each, latency, 0);
      expect(Math.abs((shares([newcomer, ...others])[0] ?? 0) - 0.2)).toBeLessThan(0.02);
      newcomer.load.begin(0);
      expect(shares([newcomer, ...others])[0]).toBe(0);
    }
  });

  it("scores by what one more call would cost, and one that is unknown by the mean of the others", () => {
    const [quick, slow, newcomer] = [candidate("quick"), candidate("slow"), candidate("newcomer")];
    measure(quick, 10, 0);
    measure(slow, 50, 0);
    quick.load.begin(0);
    const balancer = createPeakEwma(parts());
    balancer.update([quick, slow, newcomer]);
    expect(new Map(balancer.scores().map(({ candidate: { id }, score }) => [id, score]))).toEqual(
      new Map([
        ["quick", 20],
        ["slow", 50],
        ["newcomer", 30],
      ]),
    );
  });
});

describe("least request", () => {
  it("prefers the one with fewer calls in flight for its weight", () => {
    const [small, large] = [candidate("small"), candidate("large", { weight: 3 })];
    small.load.begin(0);
    for (let calls = 0; calls < 2; calls++) large.load.begin(0);
    expect(shares([small, large], createLeastRequest(parts()))).toEqual([0, 1]);
    for (let calls = 0; calls < 2; calls++) large.load.begin(0);
    expect(shares([small, large], createLeastRequest(parts()))).toEqual([1, 0]);
  });
});

describe("two choices", () => {
  it("draw by weight, so that it counts where nothing is in flight too", () => {
    const list = [1, 2, 4].map((weight) => candidate(`w${weight}`, { weight }));
    shares(list, createLeastRequest(parts())).forEach((share, i) => {
      expect(Math.abs(share - 2 ** i / 7)).toBeLessThan(0.02);
    });
  });
});

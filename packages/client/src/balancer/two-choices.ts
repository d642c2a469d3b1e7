import type { Clock } from "@weft/context";
import type { Admits, Balancer, Candidate, Score } from "./contract.ts";
import { SlowStart, type SlowStartOptions } from "./slow-start.ts";
import { type Draw, weightedDraw } from "./weighted-draw.ts";

export interface TwoChoicesOptions {
  readonly clock: Clock;
  readonly random?: () => number;
  readonly slowStart?: SlowStartOptions;
}

/** What makes one of two the better choice. Weights are relative: 1 is the mean. */
export interface Judgement {
  prefersSecond(first: Candidate, firstWeight: number, second: Candidate, secondWeight: number, now: number): boolean;
  /** What gives each of `all` its score. Lower is better. */
  scorer(all: readonly Candidate[], now: number): (candidate: Candidate, weight: number) => number;
}

/** How often one that doesn't admit is drawn again before those that do are looked for one by one. */
const draws = 4;

/**
 * The better of two that are drawn at random (Mitzenmacher's power of two choices): nearly as even as asking all, for the price
 * of two, and clients that know the same don't run to the same endpoint. Both are drawn by weight.
 */
export function createTwoChoices<C extends Candidate>(
  { clock, random = Math.random, slowStart: slowStartOptions }: TwoChoicesOptions,
  judgement: Judgement,
): Balancer<C> {
  const slowStart = new SlowStart(slowStartOptions);
  let all: readonly C[] = [];
  let draw: Draw = () => 0;
  let meanWeight = 1;

  const drawOther = (admits: Admits<C>, than: C | undefined): C | undefined => {
    for (let i = 0; i < draws; i++) {
      const drawn = all[draw(random)];
      if (drawn !== undefined && drawn !== than && admits(drawn)) return drawn;
    }
    return undefined;
  };

  /** One at random of those that admit, all alike: where few do, or one has nearly all the weight. */
  const seekOther = (admits: Admits<C>, than: C | undefined): C | undefined => {
    let found: C | undefined;
    let seen = 0;
    for (const each of all) {
      if (each === than || !admits(each)) continue;
      seen += 1;
      if (seen === 1 || random() * seen < 1) found = each;
    }
    return found;
  };

  const choose = (first: C, second: C, now: number): C => {
    let firstWeight = first.weight / meanWeight;
    let secondWeight = second.weight / meanWeight;
    if (slowStart.isActive(now)) {
      const firstFactor = slowStart.factor(first, now);
      const secondFactor = slowStart.factor(second, now);
      const passesFirst = firstFactor < 1 && random() >= firstFactor;
      const passesSecond = secondFactor < 1 && random() >= secondFactor;
      if (passesFirst !== passesSecond) return passesFirst ? second : first;
      firstWeight *= firstFactor;
      secondWeight *= secondFactor;
    }
    return judgement.prefersSecond(first, firstWeight, second, secondWeight, now) ? second : first;
  };

  return {
    update(candidates) {
      all = candidates;
      slowStart.update(candidates);
      meanWeight = candidates.reduce((sum, { weight }) => sum + weight, 0) / candidates.length;
      draw = weightedDraw(candidates.map(({ weight }) => weight));
    },
    pick(admits) {
      const first = drawOther(admits, undefined) ?? seekOther(admits, undefined);
      if (first === undefined || all.length === 1) return first;
      const second = drawOther(admits, first) ?? seekOther(admits, first);
      return second === undefined ? first : choose(first, second, clock.now());
    },
    scores() {
      const now = clock.now();
      const score = judgement.scorer(all, now);
      return all.map((candidate): Score<C> => {
        const weight = (candidate.weight / meanWeight) * slowStart.factor(candidate, now);
        return { candidate, score: score(candidate, weight) };
      });
    },
  };
}

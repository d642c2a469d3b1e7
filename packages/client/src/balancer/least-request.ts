import type { Balancer, Candidate } from "./contract.ts";
import { createTwoChoices, type Judgement, type TwoChoicesOptions } from "./two-choices.ts";

/**
 * Of two endpoints that are drawn at random, the one with fewer calls in flight for its weight. It knows nothing of latency or
 * failures, so an endpoint that fails fast attracts calls: `createPeakEwma` is the one that doesn't.
 */
export function createLeastRequest<C extends Candidate>(options: TwoChoicesOptions): Balancer<C> {
  return createTwoChoices<C>(options, leastRequest);
}

const leastRequest: Judgement = {
  prefersSecond(first, firstWeight, second, secondWeight) {
    return second.load.inFlight / secondWeight < first.load.inFlight / firstWeight;
  },
  scorer:
    () =>
    ({ load }, weight) =>
      load.inFlight / weight,
};

import type { Balancer, Candidate } from "./contract.ts";
import { createTwoChoices, type Judgement, type TwoChoicesOptions } from "./two-choices.ts";

/**
 * The default: of two endpoints that are drawn at random, the one where a call would cost less, by the peak EWMA of its latency,
 * the calls in flight and its failures (Finagle's and linkerd's balancer; see `EndpointLoad`). One whose latency is not known
 * yet is taken to be as quick as the other. Scores are milliseconds.
 */
export function createPeakEwma<C extends Candidate>(options: TwoChoicesOptions): Balancer<C> {
  return createTwoChoices<C>(options, peakEwma);
}

const peakEwma: Judgement = {
  prefersSecond({ load: first }, firstWeight, { load: second }, secondWeight, now) {
    const firstLatency = first.latency(now);
    const secondLatency = second.latency(now);
    return (
      second.costAt(secondLatency || firstLatency || 1, now, secondWeight) <
      first.costAt(firstLatency || secondLatency || 1, now, firstWeight)
    );
  },
  scorer(all, now) {
    const known = all.map((each) => each.load.latency(now)).filter((latency) => latency > 0);
    const mean = known.reduce((sum, latency) => sum + latency, 0) / known.length;
    return ({ load }, weight) => load.cost(now, mean || 1, weight);
  },
};

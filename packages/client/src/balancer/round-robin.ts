import type { Clock } from "@weft/context";
import type { Admits, Balancer, Candidate } from "./contract.ts";
import { hash } from "./hash.ts";
import { SlowStart, type SlowStartOptions } from "./slow-start.ts";

export interface RoundRobinOptions {
  readonly clock: Clock;
  readonly random?: () => number;
  readonly slowStart?: SlowStartOptions;
}

/**
 * Each in turn, whatever its weight. Every client has an order of its own, so that neither those that start together go round
 * together, nor the turns of one that doesn't admit fall to the same neighbour everywhere. Such a turn is handed on with
 * the place: the neighbour takes it, and the next call is the one's after. Scores are turns from now.
 */
export function createRoundRobin<C extends Candidate>({
  clock,
  random = Math.random,
  slowStart: slowStartOptions,
}: RoundRobinOptions): Balancer<C> {
  const slowStart = new SlowStart(slowStartOptions);
  const seed = random() * 2 ** 32;
  const placeOf = (candidate: C): number => hash(candidate.id, seed);
  let order: readonly C[] = [];
  let next = 0;

  const take = (admits: Admits<C>): C | undefined => {
    for (let i = 0; i < order.length; i++) {
      const place = next + i < order.length ? next + i : next + i - order.length;
      const candidate = order[place];
      if (candidate === undefined || !admits(candidate)) continue;
      next = place + 1 < order.length ? place + 1 : 0;
      return candidate;
    }
    return undefined;
  };

  return {
    update(candidates) {
      const due = order[next];
      const duePlace = due === undefined ? 0 : placeOf(due);
      order = candidates.toSorted((a, b) => placeOf(a) - placeOf(b));
      // Where it was, whoever came or went.
      next = Math.max(
        0,
        order.findIndex((candidate) => placeOf(candidate) >= duePlace),
      );
      slowStart.update(candidates);
    },
    pick(admits) {
      const now = clock.now();
      if (!slowStart.isActive(now)) return take(admits);
      const takesTurn = (candidate: C): boolean => {
        const factor = slowStart.factor(candidate, now);
        return (factor === 1 || random() < factor) && admits(candidate);
      };
      return take(takesTurn) ?? take(admits);
    },
    scores: () =>
      order.map((candidate, place) => ({
        candidate,
        score: place >= next ? place - next : place - next + order.length,
      })),
  };
}

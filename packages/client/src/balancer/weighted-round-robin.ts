import type { Clock } from "@weft/context";
import type { Balancer, Candidate } from "./contract.ts";
import { EarliestFirst } from "./earliest-first.ts";
import { SlowStart, type SlowStartOptions } from "./slow-start.ts";

export interface WeightedRoundRobinOptions {
  readonly clock: Clock;
  readonly random?: () => number;
  readonly slowStart?: SlowStartOptions;
}

/**
 * Each as often as its weight says, evenly spread: the one whose turn is due earliest, and its next turn is 1 / weight later (EDF,
 * as Envoy's and gRPC's schedulers; O(log n)). One that doesn't admit loses its turn, and doesn't catch up later. The weight
 * is read at each turn, so a new endpoint's grows from turn to turn. Scores are how long until the turn is due.
 */
export function createWeightedRoundRobin<C extends Candidate>({
  clock,
  random = Math.random,
  slowStart: slowStartOptions,
}: WeightedRoundRobinOptions): Balancer<C> {
  const slowStart = new SlowStart(slowStartOptions);
  let turns = new EarliestFirst<C>([]);
  let due = 0;
  const interval = (candidate: C, now: number): number => 1 / (candidate.weight * slowStart.factor(candidate, now));

  return {
    update(candidates) {
      slowStart.update(candidates);
      const now = clock.now();
      const known = new Map(turns.entries().map(({ item, due }) => [item.id, due]));
      turns = new EarliestFirst(
        candidates.map((item) => ({
          item,
          due: known.get(item.id) ?? due + random() * interval(item, now),
        })),
      );
    },
    pick(admits) {
      const now = clock.now();
      for (;;) {
        const first = turns.first();
        if (first === undefined) break;
        if (!admits(first.item)) {
          turns.setAside();
          continue;
        }
        due = first.due;
        turns.reschedule(due + interval(first.item, now));
        turns.takeBack((passed) => Math.max(passed.due, due) + interval(passed.item, now));
        return first.item;
      }
      turns.takeBack((passed) => passed.due);
      return undefined;
    },
    scores: () => turns.entries().map(({ item, due: turn }) => ({ candidate: item, score: Math.max(0, turn - due) })),
  };
}

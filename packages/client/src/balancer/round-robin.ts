import type { Balancer, Candidate } from "./balancer.ts";

/** Each in turn. It starts at a random place, so that many clients that start together don't all begin with the same one. */
export function createRoundRobin<C extends Candidate>(random: () => number = Math.random): Balancer<C> {
  let turn = Math.floor(random() * 1_000);
  return {
    pick(candidates) {
      turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      return { endpoint: candidates[turn % candidates.length] ?? candidates[0], done() {} };
    },
  };
}

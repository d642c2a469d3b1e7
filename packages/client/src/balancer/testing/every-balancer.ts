import type { Clock } from "@weft/context";
import { createConsistentHash } from "../consistent-hash.ts";
import type { Balancer, Candidate } from "../contract.ts";
import { createLeastRequest } from "../least-request.ts";
import { createPeakEwma } from "../peak-ewma.ts";
import { createRoundRobin } from "../round-robin.ts";
import { createWeightedRoundRobin } from "../weighted-round-robin.ts";
import { preferZone } from "../zone-preference.ts";

export interface BalancerParts {
  readonly clock: Clock;
  readonly random: () => number;
}

/** Each by its name, with its defaults. */
export const everyBalancer: Readonly<Record<string, <C extends Candidate>(parts: BalancerParts) => Balancer<C>>> = {
  "round robin": createRoundRobin,
  "weighted round robin": createWeightedRoundRobin,
  "least request": createLeastRequest,
  "peak EWMA": createPeakEwma,
  "consistent hash": createConsistentHash,
  "zone preference": <C extends Candidate>(parts: BalancerParts) =>
    preferZone<C>({ ...parts, zone: "a", within: () => createPeakEwma<C>(parts) }),
};

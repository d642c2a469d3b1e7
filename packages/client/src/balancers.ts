import type { Clock } from "@weft/context";
import type { BalancerPolicy, MethodPolicy } from "@weft/policy";
import { createConsistentHash } from "./balancer/consistent-hash.ts";
import type { Balancer } from "./balancer/contract.ts";
import { createLeastRequest } from "./balancer/least-request.ts";
import { createPeakEwma } from "./balancer/peak-ewma.ts";
import { createRoundRobin } from "./balancer/round-robin.ts";
import { createWeightedRoundRobin } from "./balancer/weighted-round-robin.ts";
import { preferZone } from "./balancer/zone-preference.ts";
import type { Endpoint } from "./endpoint.ts";

/** The balancers of one channel: one for each way that its contract names, made with the first call that wants it. */
export interface Balancers {
  of(policy: MethodPolicy): Balancer<Endpoint>;
  update(endpoints: readonly Endpoint[]): void;
}

export interface BalancersOptions {
  /** The caller's own: calls stay in it while it can take them. */
  readonly zone: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

export function createBalancers(options: BalancersOptions): Balancers {
  const { zone, clock, random } = options;
  const byKind = new Map<BalancerPolicy["kind"], Balancer<Endpoint>>();
  let endpoints: readonly Endpoint[] = [];
  return {
    of({ balancer: { kind } }) {
      let balancer = byKind.get(kind);
      if (balancer === undefined) {
        const within = () => createBalancer(kind, { clock, random });
        // The same key is to lead to the same instance from every zone.
        const isZoned = zone !== undefined && kind !== "consistent-hash";
        balancer = isZoned ? preferZone({ zone, within, clock, random }) : within();
        balancer.update(endpoints);
        byKind.set(kind, balancer);
      }
      return balancer;
    },
    update(next) {
      endpoints = next;
      for (const balancer of byKind.values()) balancer.update(next);
    },
  };
}

function createBalancer(
  kind: BalancerPolicy["kind"],
  options: { readonly clock: Clock; readonly random: () => number },
): Balancer<Endpoint> {
  switch (kind) {
    case "peak-ewma":
      return createPeakEwma(options);
    case "least-request":
      return createLeastRequest(options);
    case "round-robin":
      return createRoundRobin(options);
    case "weighted-round-robin":
      return createWeightedRoundRobin(options);
    case "consistent-hash":
      return createConsistentHash(options);
  }
}

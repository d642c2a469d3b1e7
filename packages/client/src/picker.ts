import type { MethodPolicy } from "@weft/policy";
import type { Balancer, Score } from "./balancer/contract.ts";
import type { Call } from "./call.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Endpoints } from "./endpoints.ts";

/** Says where an attempt goes. */
export interface Picker {
  /** Undefined when no endpoint admits it. `refused` are those that it is not to go to. */
  pick(call: Call, refused: ReadonlySet<Endpoint> | undefined): Endpoint | undefined;
  /** What each endpoint is judged by for calls of that policy; for `explain`. */
  scores(policy: MethodPolicy): readonly Score<Endpoint>[];
}

/** What calls leave to others that can be repeated, where there are such: to find out whether an endpoint is well again. */
export interface Spared {
  /** Trials of an outlier, which any method's call can be. */
  readonly outliers: boolean;
  /** Probes of a circuit, which the calls of the methods can be that share it. */
  readonly circuits: boolean;
}

export function createPicker(
  endpoints: Endpoints,
  balancer: (policy: MethodPolicy) => Balancer<Endpoint>,
  sparedOf: (policy: MethodPolicy) => Spared,
): Picker {
  // Set for the time of one pick, so that the balancer's question makes no closure.
  let policy: MethodPolicy | undefined;
  let refused: ReadonlySet<Endpoint> | undefined;
  let tried: readonly Endpoint[] | undefined;
  /** What an endpoint on trial gets wrong is felt by a call that can't be repeated: such a call is for those that are well. */
  let spared: Spared | undefined;
  const admits = (endpoint: Endpoint): boolean =>
    endpoint.admits(policy as MethodPolicy) &&
    refused?.has(endpoint) !== true &&
    !(spared?.outliers && endpoint.outlier.isTrial) &&
    !(spared?.circuits && endpoint.guard(policy as MethodPolicy).breaker.isProbing);
  const admitsAnew = (endpoint: Endpoint): boolean => admits(endpoint) && tried?.includes(endpoint) !== true;
  /** The same of those that can't be reached or fare worse than others: better one of them than none. */
  const admitsAtLast = (endpoint: Endpoint): boolean =>
    endpoint.guard(policy as MethodPolicy).breaker.admits() && refused?.has(endpoint) !== true;

  /** An outlier is on trial: a call that can be repeated shows whether it is well again. */
  function trial(call: Call): Endpoint | undefined {
    const due = endpoints.detector.due();
    if (due === undefined || call.attempt > 1 || call.policy.retry === undefined) return undefined;
    return endpoints.up.find((endpoint) => endpoint.outlier === due && admits(endpoint));
  }

  return {
    pick(call, without) {
      policy = call.policy;
      refused = without;
      tried = call.tried;
      const canRepeat = call.policy.retry !== undefined || call.policy.hedge !== undefined;
      spared = canRepeat ? undefined : sparedOf(call.policy);
      const chosen = balancer(call.policy);
      return (
        trial(call) ??
        (tried && chosen.pick(admitsAnew, call.key)) ??
        chosen.pick(admits, call.key) ??
        chosen.pick(admitsAtLast, call.key)
      );
    },
    scores: (of) => balancer(of).scores(),
  };
}

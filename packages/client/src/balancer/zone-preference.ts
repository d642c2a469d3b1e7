import type { Clock } from "@weft/context";
import type { Admits, Balancer, Candidate } from "./contract.ts";

export interface ZonePreferenceOptions<C extends Candidate> {
  /** The caller's own zone. */
  readonly zone: string;
  /** Makes a balancer: one for the zone, one for the others. */
  readonly within: () => Balancer<C>;
  readonly clock: Clock;
  readonly random?: () => number;
  /** How much more than its part the rest of a zone can carry when some of it is out; default 1.4 (Envoy's overprovisioning). */
  readonly overprovisioning?: number;
  /** How many times as long a call may take in the zone as elsewhere before calls leave; default 2. */
  readonly tolerance?: number;
  /** The part of the calls that leave for no other reason than to know what one takes elsewhere; default 0.01. */
  readonly probe?: number;
}

/** For how long the count of those that admit is believed, in milliseconds. */
const countedForMs = 100;

/**
 * Calls stay in the caller's zone while that is sound, within which `within` chooses. They leave
 * - in part, once too few of the zone admit: of 10, all calls stay with 8, half of them with 3.6 (Envoy's rule);
 * - in part, while a call takes more than `tolerance` times as long there as elsewhere, with failures and calls without an answer
 *   counted as slow: at twice that, half of them. So a zone that is overloaded, hangs or fails is relieved by what is too
 *   much for it, and enough calls stay to see it heal. Calls in flight alone are no reason: they are many wherever all calls go;
 * - all, when nobody in the zone admits, or it has no endpoint.
 */
export function preferZone<C extends Candidate>(options: ZonePreferenceOptions<C>): Balancer<C> {
  const { zone, within, clock, random = Math.random } = options;
  const { overprovisioning = 1.4, tolerance = 2, probe = 0.01 } = options;
  const near = within();
  const far = within();
  let local: readonly C[] = [];
  let localShare = 1;
  let countedAt = Number.NEGATIVE_INFINITY;
  let picksUntilCount = 0;

  // Counting costs as many questions as the zone has endpoints: once in so many picks, it is one a pick.
  const count = (admits: Admits<C>, now: number): void => {
    picksUntilCount -= 1;
    if (picksUntilCount > 0 && now - countedAt < countedForMs) return;
    picksUntilCount = local.length;
    countedAt = now;
    let admitting = 0;
    for (const each of local) if (admits(each)) admitting += 1;
    localShare = Math.min(1, (overprovisioning * admitting) / local.length);
  };

  /** Nothing is to be learned from what is known to be slow, nor is another zone's outage to reach this one. */
  const keptShare = (ratio: number): number =>
    ratio > tolerance ? tolerance / ratio : ratio < 1 / tolerance ? 1 : 1 - probe;

  return {
    update(candidates) {
      local = candidates.filter((candidate) => candidate.zone === zone);
      near.update(local);
      far.update(candidates.filter((candidate) => candidate.zone !== zone));
      picksUntilCount = 0;
    },
    pick(admits, key) {
      if (local.length === 0) return far.pick(admits, key);
      const now = clock.now();
      count(admits, now);
      if (localShare < 1 && random() >= localShare) return far.pick(admits, key) ?? near.pick(admits, key);
      const here = near.pick(admits, key);
      const there = far.pick(admits, key);
      if (here === undefined || there === undefined) return here ?? there;
      return random() < keptShare(slowness(here, there, now) / slowness(there, here, now)) ? here : there;
    },
    scores: () => [...near.scores(), ...far.scores()],
  };
}

/**
 * What a call takes there, however many there are at once. The mean and not the peak: an endpoint that has many calls has higher
 * peaks than one that has few.
 */
function slowness({ load }: Candidate, other: Candidate, now: number): number {
  return load.costAt(load.meanLatency || other.load.meanLatency || 1, now, Number.POSITIVE_INFINITY);
}

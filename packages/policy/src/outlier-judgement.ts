import type { OutlierPolicy, SuccessRatePolicy } from "./outlier-policy.ts";

/** What became of an endpoint's calls. */
export interface Tally {
  successes: number;
  failures: number;
  refused: number;
}

export type RateCause = "success-rate" | "failure-percentage";

/** Chance of a run of failures, per call, below which it isn't taken for bad luck. */
const badLuck = 1e-6;
/** Standard deviations by which a share of successes must fall short before it isn't taken for chance. */
const beyondChance = 4;
/** A smaller shortfall isn't worth an endpoint's capacity, however certain it is. */
const leastShortfall = 0.1;

export function callsOf(tally: Tally): number {
  return tally.successes + tally.failures + tally.refused;
}

/**
 * How many failures in a row say something about one endpoint, when `share` of the others' calls fail as well: so many that
 * the same run would hardly befall any of the others. Infinite when all fail: then no endpoint is an outlier.
 */
export function tellingRun(share: number, least: number): number {
  if (share <= 0) return least;
  if (share >= 1) return Number.POSITIVE_INFINITY;
  return Math.max(least, Math.ceil(Math.log(badLuck) / Math.log(share)));
}

/**
 * Whether the share of successes falls short of the others' by more than chance explains at so few calls: the likelihood
 * ratio of "two shares" against "one share" (the G-test), which unlike the normal approximation holds for a handful of calls.
 */
export function worseThanOthers(own: Tally, others: Tally): boolean {
  const calls = callsOf(own);
  const othersCalls = callsOf(others);
  if (calls === 0 || othersCalls === 0) return false;
  const shortfall = others.successes / othersCalls - own.successes / calls;
  if (shortfall <= leastShortfall) return false;
  const together = (own.successes + others.successes) / (calls + othersCalls);
  const evidence = divergence(own.successes, calls, together) + divergence(others.successes, othersCalls, together);
  return evidence >= beyondChance ** 2 / 2;
}

/** By how much, in nats, the calls are better explained by their own share of successes than by `share`. */
function divergence(successes: number, calls: number, share: number): number {
  const failures = calls - successes;
  const good = successes === 0 ? 0 : successes * Math.log(successes / (calls * share));
  const bad = failures === 0 ? 0 : failures * Math.log(failures / (calls * (1 - share)));
  return good + bad;
}

/**
 * Who is an outlier by what the interval brought, the worst first: the success-rate and failure-percentage algorithms of
 * gRFC A50, with two changes for small fleets. Each endpoint is compared with the mean and deviation of the *others*
 * (one of three can never be 1.9 deviations below a mean that it is part of), and both need `worseThanOthers`, so that
 * chance ejects nobody, and nobody is ejected when all are equally unwell.
 */
export function rateOutliers<T>(
  hosts: readonly { readonly host: T; readonly tally: Tally }[],
  policy: Pick<OutlierPolicy, "successRate" | "failurePercentage">,
): { readonly host: T; readonly cause: RateCause }[] {
  const { successRate, failurePercentage } = policy;
  const total = hosts.reduce((sum, { tally }) => added(sum, tally, 1), noCalls);
  const spread = successRate && spreadOf(hosts, successRate);
  const found: { host: T; cause: RateCause; rate: number }[] = [];
  for (const { host, tally } of hosts) {
    const calls = callsOf(tally);
    if (calls === 0 || !worseThanOthers(tally, added(total, tally, -1))) continue;
    const rate = tally.successes / calls;
    if (
      successRate &&
      spread &&
      calls >= successRate.requestVolume &&
      rate < lowestOfOthers(spread, rate, successRate)
    ) {
      found.push({ host, cause: "success-rate", rate });
    } else if (
      failurePercentage &&
      hosts.length >= failurePercentage.minimumHosts &&
      calls >= failurePercentage.requestVolume &&
      tally.failures * 100 >= failurePercentage.threshold * calls
    ) {
      found.push({ host, cause: "failure-percentage", rate });
    }
  }
  return found.sort((a, b) => a.rate - b.rate);
}

const noCalls: Tally = { successes: 0, failures: 0, refused: 0 };

function added(a: Tally, b: Tally, sign: 1 | -1): Tally {
  return {
    successes: a.successes + sign * b.successes,
    failures: a.failures + sign * b.failures,
    refused: a.refused + sign * b.refused,
  };
}

/** Sums over the hosts with volume, from which each one can be taken out again. */
interface Spread {
  readonly hosts: number;
  readonly sum: number;
  readonly squares: number;
}

function spreadOf(hosts: readonly { readonly tally: Tally }[], policy: SuccessRatePolicy): Spread | undefined {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (const { tally } of hosts) {
    const calls = callsOf(tally);
    if (calls < policy.requestVolume) continue;
    const rate = tally.successes / calls;
    count += 1;
    sum += rate;
    squares += rate * rate;
  }
  return count >= Math.max(2, policy.minimumHosts) ? { hosts: count, sum, squares } : undefined;
}

/** The others' mean less `stdevFactor` of their standard deviations. */
function lowestOfOthers(all: Spread, rate: number, policy: SuccessRatePolicy): number {
  const others = all.hosts - 1;
  const mean = (all.sum - rate) / others;
  const variance = Math.max(0, (all.squares - rate * rate) / others - mean * mean);
  return mean - policy.stdevFactor * Math.sqrt(variance);
}

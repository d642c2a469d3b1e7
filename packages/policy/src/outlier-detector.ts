import { systemClock } from "@weft/context";
import type { EjectionCause, OutlierDetector, OutlierOptions } from "./outlier.ts";
import { type OutlierFleet, TrackedEndpoint } from "./outlier-endpoint.ts";
import { callsOf, rateOutliers, tellingRun } from "./outlier-judgement.ts";
import { defaultOutlierPolicy, type OutlierPolicy } from "./outlier-policy.ts";

/** Intervals over which an endpoint with little traffic gathers the calls that it takes to judge it. */
const longestCarry = 10;

/**
 * Finds the endpoints that fare worse than the rest, and leaves them out for a while (gRFC A50, and failures in a row as in
 * Envoy). Never more than half of those there are: it compares, and where most are unwell there is nothing to compare
 * with. What is left out comes back by trial calls. Pure: it has no timer, the owner calls `sweep`.
 */
export function createOutlierDetector(options: OutlierOptions = {}): OutlierDetector {
  const { clock = systemClock, random = Math.random, onChange = () => {} } = options;
  const policy: OutlierPolicy = { ...defaultOutlierPolicy, ...options.policy };
  const tracked = new Map<string, TrackedEndpoint>();
  /** Ejected or probing. */
  const out = new Set<TrackedEndpoint>();
  const probing = new Set<TrackedEndpoint>();

  const maxOut = (): number => Math.floor(tracked.size * Math.min(0.5, policy.maxEjectedShare));

  const fleet: OutlierFleet = {
    policy,
    tellingRun: (endpoint) => tellingRun(othersFailing(endpoint), policy.consecutiveFailures),
    eject(endpoint, cause) {
      if (tracked.get(endpoint.id) !== endpoint) return false;
      if (endpoint.state.kind === "in" && out.size >= maxOut()) return false;
      putOut(endpoint, cause);
      return true;
    },
    probe(endpoint) {
      if (endpoint.state.kind !== "ejected") return;
      const { cause, since } = endpoint.state;
      probing.add(endpoint);
      endpoint.enter({ kind: "probing", cause, since, successes: 0 });
      onChange({ kind: "probing", id: endpoint.id });
    },
    readmit: (endpoint) => letIn(endpoint, "trials"),
    remove(endpoint) {
      if (tracked.get(endpoint.id) !== endpoint) return;
      tracked.delete(endpoint.id);
      probing.delete(endpoint);
      out.delete(endpoint);
      while (out.size > maxOut()) {
        let longest: TrackedEndpoint | undefined;
        for (const each of out) if (!longest || outSince(each) < outSince(longest)) longest = each;
        if (longest) letIn(longest, "room");
      }
    },
  };

  /** The share of failures among the others: over the last intervals, or (quicker, when what all depend on breaks) right now. */
  function othersFailing(endpoint: TrackedEndpoint): number {
    let others = 0;
    let failing = 0;
    let calls = 0;
    let successes = 0;
    for (const other of tracked.values()) {
      if (other === endpoint || other.state.kind !== "in") continue;
      others += 1;
      if (other.run >= 2) failing += 1;
      calls += callsOf(other.tally) + callsOf(other.judged);
      successes += other.tally.successes + other.judged.successes;
    }
    const lately = calls === 0 ? 0 : 1 - successes / calls;
    const now = others === 0 ? 0 : failing / others;
    return Math.max(lately, now);
  }

  function putOut(endpoint: TrackedEndpoint, cause: EjectionCause): void {
    const now = clock.now();
    const since = endpoint.state.kind === "in" ? now : endpoint.state.since;
    // A trial that fails while most calls do elsewhere says nothing new: such an endpoint must not come back the last of all.
    if (endpoint.state.kind === "in" || othersFailing(endpoint) < 0.5) endpoint.multiplier += 1;
    endpoint.ejections += 1;
    const longest = Math.max(policy.baseEjectionMs, policy.maxEjectionMs);
    const forMs = Math.min(policy.baseEjectionMs * endpoint.multiplier, longest) * (1 - policy.jitter * random());
    out.add(endpoint);
    probing.delete(endpoint);
    endpoint.enter({ kind: "ejected", cause, since, until: now + forMs });
    onChange({ kind: "ejected", id: endpoint.id, cause, forMs });
  }

  function letIn(endpoint: TrackedEndpoint, why: "trials" | "room"): void {
    out.delete(endpoint);
    probing.delete(endpoint);
    endpoint.enter({ kind: "in" });
    onChange({ kind: "returned", id: endpoint.id, why });
  }

  /** Takes what has enough calls, or has waited for them long enough, out of the interval under way. */
  function endIntervals(): TrackedEndpoint[] {
    const volume = Math.max(policy.successRate?.requestVolume ?? 0, policy.failurePercentage?.requestVolume ?? 0);
    const ready: TrackedEndpoint[] = [];
    for (const endpoint of tracked.values()) {
      if (endpoint.state.kind !== "in") continue;
      endpoint.askAgain();
      if (callsOf(endpoint.tally) < volume && endpoint.carried < longestCarry) {
        endpoint.carried += 1;
        continue;
      }
      endpoint.endInterval();
      ready.push(endpoint);
    }
    return ready;
  }

  function sweep(): void {
    const now = clock.now();
    const inAlready = [...tracked.values()].filter((each) => each.state.kind === "in");
    const hosts = endIntervals().map((host) => ({ host, tally: host.judged }));
    for (const { host, cause } of rateOutliers(hosts, policy)) fleet.eject(host, cause);
    for (const endpoint of inAlready) {
      if (endpoint.state.kind === "in" && endpoint.multiplier > 0) endpoint.multiplier -= 1;
    }
    for (const endpoint of out) {
      if (endpoint.state.kind === "ejected" && endpoint.state.until <= now) fleet.probe(endpoint);
    }
  }

  return {
    policy,
    track(id) {
      let endpoint = tracked.get(id);
      if (!endpoint) {
        endpoint = new TrackedEndpoint(id, fleet);
        tracked.set(id, endpoint);
      }
      return endpoint;
    },
    sweep,
    due() {
      if (probing.size === 0) return undefined;
      for (const endpoint of probing) if (endpoint.admits) return endpoint;
      return undefined;
    },
    getState: () => ({
      endpoints: [...tracked.values()].map((endpoint) => endpoint.getState()),
      out: out.size,
      maxOut: maxOut(),
    }),
  };
}

function outSince(endpoint: TrackedEndpoint): number {
  return endpoint.state.kind === "in" ? Number.POSITIVE_INFINITY : endpoint.state.since;
}

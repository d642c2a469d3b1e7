import type { OutlierDetector, OutlierEvent, OutlierOutcome } from "../outlier.ts";
import { createOutlierDetector } from "../outlier-detector.ts";
import type { OutlierPolicy } from "../outlier-policy.ts";
import { exponential, type SimulatedTime, seededRandom, simulatedTime } from "./simulated-time.ts";

export interface SimulatedFleet {
  readonly time: SimulatedTime;
  readonly detector: OutlierDetector;
  readonly random: () => number;
  readonly events: readonly (OutlierEvent & { readonly at: number })[];
  /** Per endpoint: how its calls ended, in counts. */
  readonly seen: ReadonlyMap<string, Map<OutlierOutcome, number>>;
  /** How calls to an endpoint end from now on. */
  behave(id: string, outcome: (random: () => number) => OutlierOutcome): void;
  count(outcome: OutlierOutcome, id?: string): number;
  /** When the endpoint was first ejected; undefined if never. */
  ejectedAt(id: string): number | undefined;
  /** Milliseconds up to now that endpoints were out, all added up. */
  msOut(): number;
}

export interface FleetOptions {
  readonly size: number;
  /** Calls a second, all endpoints together, at random times. */
  readonly rate: number;
  readonly seed?: number;
  readonly latencyMs?: number;
  readonly policy?: Partial<OutlierPolicy>;
}

/** Names of the endpoints: e0, e1, … Calls go to a random one that admits, past the trials that are due. No retries. */
export function simulateFleet({ size, rate, seed = 1, latencyMs = 20, policy = {} }: FleetOptions): SimulatedFleet {
  const time = simulatedTime();
  const random = seededRandom(seed);
  const events: (OutlierEvent & { at: number })[] = [];
  const detector = createOutlierDetector({
    clock: time,
    random,
    policy,
    onChange: (event) => events.push({ ...event, at: time.now() }),
  });
  const endpoints = Array.from({ length: size }, (_, i) => detector.track(`e${i}`));
  const behaviour = new Map<string, (random: () => number) => OutlierOutcome>();
  const seen = new Map(endpoints.map((each) => [each.id, new Map<OutlierOutcome, number>()]));
  let msOut = 0;

  function call(): void {
    const admitting = endpoints.filter((each) => each.admits);
    const endpoint = detector.due() ?? admitting[Math.floor(random() * admitting.length)];
    if (!endpoint) return;
    const began = endpoint.begin();
    const outcome = behaviour.get(endpoint.id)?.(random) ?? "success";
    time.after(latencyMs, () => {
      endpoint.record(outcome, began);
      const counts = seen.get(endpoint.id);
      counts?.set(outcome, (counts.get(outcome) ?? 0) + 1);
    });
  }
  function arrive(): void {
    call();
    time.after(exponential(random, 1_000 / rate), arrive);
  }
  time.after(0, arrive);
  time.every(100, () => {
    msOut += 100 * detector.getState().out;
  });
  time.every(detector.policy.intervalMs, () => detector.sweep());

  return {
    time,
    detector,
    random,
    events,
    seen,
    behave: (id, outcome) => void behaviour.set(id, outcome),
    count(outcome, id) {
      let sum = 0;
      for (const [each, counts] of seen) if (id === undefined || id === each) sum += counts.get(outcome) ?? 0;
      return sum;
    },
    ejectedAt: (id) => events.find((event) => event.kind === "ejected" && event.id === id)?.at,
    msOut: () => msOut,
  };
}

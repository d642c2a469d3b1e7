import { expect } from "vitest";
import type { OutlierEndpoint, OutlierEvent, OutlierOutcome } from "../outlier.ts";
import { createOutlierDetector } from "../outlier-detector.ts";
import type { OutlierPolicy } from "../outlier-policy.ts";

/** A detector of `size` endpoints e0, e1, … on a clock that stands until `pass` or `wait`. */
export function setUpDetector(size: number, policy: Partial<OutlierPolicy> = {}, random = () => 0) {
  let now = 0;
  const events: OutlierEvent[] = [];
  const detector = createOutlierDetector({
    clock: { now: () => now },
    random,
    policy,
    onChange: (event) => events.push(event),
  });
  const endpoints = Array.from({ length: size }, (_, i) => detector.track(`e${i}`));
  function end(endpoint: OutlierEndpoint, outcome: OutlierOutcome, times = 1) {
    for (let i = 0; i < times; i++) endpoint.record(outcome, endpoint.begin());
  }
  /** Seconds pass, a sweep at the end of each. */
  function pass(seconds: number) {
    for (let i = 0; i < seconds; i++) {
      now += 1_000;
      detector.sweep();
    }
  }
  const at = (index: number): OutlierEndpoint => endpoints[index] ?? expect.fail(`no endpoint ${index}`);
  const kinds = () => detector.getState().endpoints.map(({ state }) => state.kind);
  return { detector, endpoints, events, end, pass, at, kinds, wait: (ms: number) => (now += ms) };
}

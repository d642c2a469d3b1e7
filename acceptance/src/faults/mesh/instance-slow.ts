import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { during, failedCalls, p99, percentOf, startedDuring } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";

/** One of five instances takes half a second longer than the others. */
export const instanceSlow: Row = {
  name: "mesh-slow",
  claim: "one of five instances +500 ms: at most 5 % of calls go there within 5 s, p99 at most twice the healthy one",
  minutes: 4,
  async run(ground) {
    const { findings, size, signal } = ground;
    const fleet = await openFleet(ground);
    const instances = await fleet.startMany(5);
    const [slow] = instances;
    if (!slow) throw new Error("no instance is there");
    await fleet.warmUp();

    const perSecond = 300;
    const healthyMs = size(10_000, 3_000);
    const slowMs = size(30_000, 9_000);
    const startedAt = machineNow();
    const load = fleet.load({ perSecond, forMs: healthyMs + slowMs, methods: ["read", "write"] });
    await sleep(healthyMs, undefined, { signal });
    const slowAt = machineNow();
    slow.behave({ latencyMs: 510 });
    const { calls } = await load;
    const served = await Promise.all(instances.map((instance) => instance.served()));

    const ofSlow = served[0] ?? [];
    const healthy = p99(during(calls, { from: startedAt, to: slowAt }));
    const settled = { from: slowAt + 5_000 };
    const total = served.reduce((sum, each) => sum + startedDuring(each, settled).length, 0);
    const there = startedDuring(ofSlow, settled).length;
    findings.figure("calls a second", perSecond);
    findings.figure("calls", calls.length);
    findings.count("calls that failed", failedCalls(calls).length, 0);
    findings.figure("its share while healthy, %", percent(percentOf(ofSlow, served, { from: startedAt, to: slowAt })));
    findings.figure(
      "its share in the first 5 s, %",
      percent(percentOf(ofSlow, served, { from: slowAt, to: settled.from })),
    );
    findings.figure("its share after 5 s, %", percent(percentOf(ofSlow, served, settled)));
    findings.count("its calls beyond 5 % after 5 s", Math.max(0, there - Math.floor(0.05 * total)), 0);
    findings.figure("healthy p99, ms", Math.round(healthy));
    findings.within("p99 after 5 s", p99(during(calls, settled)), Math.round(2 * healthy), "ms");
  },
};

function percent(value: number): number {
  return Math.round(10 * value) / 10;
}

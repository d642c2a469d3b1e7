import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { during, failedCalls, outcomes, startedDuring } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";
import type { Behaviour } from "./fleet/programs/orders.ts";

/** How long the mesh has to notice: two intervals of the outlier detection. */
const noticedAfterMs = 2_000;

const codes: readonly NonNullable<Behaviour["failWith"]>[] = ["RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL"];

/** One of five instances fails every call at once, which makes it look fast and idle. */
export const instanceFails: Row = {
  name: "mesh-fails",
  claim:
    "one of five fails all, or is exhausted at once: at most 0.1 % visible errors after 2 intervals, attracts no load",
  minutes: 5,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const fleet = await openFleet(ground);
    let instances = await fleet.startMany(5);
    await fleet.warmUp();

    const perSecond = 500;
    const forMs = size(30_000, 9_000);
    findings.figure("calls a second", perSecond);
    for (const [i, code] of codes.slice(0, size(3, 2)).entries()) {
      if (i > 0) await fleet.warmUp();
      const [failing, ...others] = instances;
      if (!failing) throw new Error("no instance is there");
      say(`one of five fails with ${code}`);
      const load = fleet.load({ perSecond, forMs: 1_000 + forMs, methods: ["read", "write"] });
      await sleep(1_000, undefined, { signal });
      const failsAt = machineNow();
      failing.behave({ failWith: code, latencyMs: 0 });
      const { calls } = await load;
      const served = await Promise.all(instances.map((instance) => instance.served()));

      const noticed = { from: failsAt + noticedAfterMs };
      const after = during(calls, noticed);
      const total = served.reduce((sum, each) => sum + startedDuring(each, noticed).length, 0);
      const there = startedDuring(served[0] ?? [], noticed).length;
      const visible = failedCalls(after).length;
      findings.figure(`${code}: outcomes`, JSON.stringify(outcomes(during(calls, { from: failsAt }))));
      findings.figure(`${code}: outcomes after 2 intervals`, JSON.stringify(outcomes(after)));
      findings.figure(`${code}: visible errors, %`, Math.round((100_000 * visible) / after.length) / 1_000);
      // Of a few thousand calls a handful is no rate: those that it takes to find out.
      const allowed = Math.max(size(0, 10), Math.floor(0.001 * after.length));
      findings.count(`${code}: errors beyond 0.1 %`, Math.max(0, visible - allowed), 0);
      findings.figure(`${code}: its share of calls, %`, Math.round((1_000 * there) / total) / 10);
      findings.count(`${code}: its calls beyond a fifth`, Math.max(0, there - Math.ceil(total / 5)), 0);
      await failing.stop();
      instances = [...others, await fleet.start()];
    }
  },
};

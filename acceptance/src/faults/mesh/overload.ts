import { setTimeout as sleep } from "node:timers/promises";
import type { Ground, Row } from "../runner/row.ts";
import { during, goodput, outcomes, p99, quantile, type Window } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";
import type { Behaviour, Call } from "./fleet/programs/orders.ts";

/** Ten times as many calls as can be served: those that are served are served well, the others hear so at once. */
export const overload: Row = {
  name: "mesh-overload",
  claim: "10 × capacity: goodput at least 90 % of peak, accepted p99 at most 3 × unloaded, rejections within 10 ms",
  minutes: 5,
  async run(ground) {
    // Two instances of four workers, 25 ms a call.
    await overloaded(ground, "waiting", 2, { workers: 4, latencyMs: 20 }, 320);
    // One processor, 5 ms of it a call.
    await overloaded(ground, "computing", 1, { computeMs: 5, latencyMs: 0 }, 200);
  },
};

async function overloaded(
  ground: Ground,
  what: string,
  count: number,
  behaviour: Behaviour,
  capacity: number,
): Promise<void> {
  const { findings, size, say, signal } = ground;
  const fleet = await openFleet(ground, { sheds: true });
  const instances = await fleet.startMany(count, { behaviour });
  await fleet.warmUpTo(capacity / 2, size(8_000, 1_500), ["read"]);
  const unloadedMs = size(10_000, 3_000);
  const overloadMs = 20_000;
  const run = async (times: number, forMs: number): Promise<readonly Call[]> => {
    say(`${what}: ${times} × capacity`);
    const { calls } = await fleet.load({ perSecond: times * capacity, forMs, methods: ["read"] });
    return calls;
  };
  const unloaded = await run(0.25, unloadedMs);
  const peakCalls = await run(1, unloadedMs);
  const overloadedFrom = machineNow();
  const overloading = run(10, overloadMs);
  await sleep(overloadMs, undefined, { signal });
  const overAt = machineNow();
  const after = await run(0.5, size(8_000, 4_000));
  const during10 = await overloading;

  const unloadedP99 = p99(unloaded);
  const peak = goodput(peakCalls, inside(peakCalls, unloadedMs));
  const overloadedGoodput = goodput(during10, inside(during10, overloadMs));
  const refused = during10.filter(({ outcome }) => outcome !== "OK").map(({ tookMs }) => tookMs);
  const bad = after.filter(({ outcome, tookMs }) => outcome !== "OK" || tookMs > 3 * unloadedP99);
  const lastBad = Math.max(0, ...bad.map(({ startedAt }) => startedAt - overAt));
  const wellAgain = during(after, { from: overAt + 2_000 });
  findings.figure(`${what}: capacity, calls a second`, capacity);
  findings.figure(`${what}: goodput at 1 ×, calls a second`, Math.round(peak));
  findings.figure(`${what}: goodput at 10 ×, calls a second`, Math.round(overloadedGoodput));
  findings.figure(`${what}: outcomes at 0.25 ×`, JSON.stringify(outcomes(unloaded)));
  findings.figure(`${what}: outcomes at 1 ×`, JSON.stringify(outcomes(peakCalls)));
  findings.figure(`${what}: outcomes at 10 ×`, JSON.stringify(outcomes(during10)));
  findings.figure(
    `${what}: calls sent at 10 ×, a second`,
    Math.round((1_000 * during10.length) / (overAt - overloadedFrom)),
  );
  findings.atLeast(`${what}: goodput, % of peak`, Math.round((100 * overloadedGoodput) / peak), 90);
  findings.figure(`${what}: unloaded p99, ms`, Math.round(unloadedP99));
  findings.within(`${what}: accepted p99`, p99(during10), Math.round(3 * unloadedP99), "ms");
  findings.within(`${what}: rejections, p99`, quantile(refused, 0.99), 10, "ms");
  findings.within(`${what}: normal again after`, lastBad, 2_000, "ms");
  findings.count(
    `${what}: calls that failed 2 s after the overload`,
    wellAgain.filter(({ outcome }) => outcome !== "OK").length,
    0,
  );
  await Promise.all(instances.map((instance) => instance.kill()));
}

/** From a second after the load began to its end. */
function inside(calls: readonly Call[], forMs: number): Required<Window> {
  const from = calls[0]?.startedAt ?? 0;
  return { from: from + 1_000, to: from + forMs };
}

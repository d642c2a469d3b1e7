import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { during, failedCalls, outcomes, p99 } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";

const tenMinutes = 10 * 60_000;

/** The wall clocks of instances and callers disagree, as on machines whose time is not kept. */
export const clocksOff: Row = {
  name: "mesh-clocks",
  claim: "clocks of instances ±10 min: nothing changes",
  minutes: 3,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const heartbeatMs = 2_000;
    const fleet = await openFleet(ground, { heartbeatMs, callersClockOffMs: tenMinutes });
    const clocks = [0, tenMinutes, -tenMinutes];
    const instances = await Promise.all(clocks.map((clockOffMs) => fleet.start({ clockOffMs })));
    const relays = await Promise.all([
      fleet.start({ service: "middle", clockOffMs: -tenMinutes }),
      fleet.start({ service: "front", clockOffMs: tenMinutes }),
    ]);
    await fleet.warmUp(["read", "write", "relayTwice"]);

    const perSecond = 300;
    const quietMs = size(20_000, 2 * heartbeatMs);
    const from = machineNow();
    const load = fleet.load({ perSecond, forMs: quietMs + 6_000, methods: ["read", "write", "relayTwice"] });
    let missed = 0;
    while (machineNow() < from + quietMs) {
      const there = await fleet.registered();
      if (instances.some(({ name }) => !there.includes(name))) missed += 1;
      await sleep(100, undefined, { signal });
    }
    say("a restart of each instance");
    for (const [i, clockOffMs] of clocks.entries()) {
      await fleet.start({ clockOffMs: -clockOffMs });
      await instances[i]?.stop();
    }
    const { calls, errors } = await load;
    const quiet = during(calls, { to: from + quietMs }).filter(({ method }) => method !== "relayTwice");
    findings.figure("processes", clocks.length + relays.length + 2);
    findings.figure("calls a second", perSecond);
    findings.figure("outcomes", JSON.stringify(outcomes(calls)));
    for (const [code, text] of Object.entries(errors)) findings.figure(`first ${code}`, text);
    findings.count("calls that failed, three restarts included", failedCalls(calls).length, 0);
    findings.count("looks at the registry that missed an instance", missed, 0);
    const shares = instances.map(({ name }) => quiet.filter(({ instance }) => instance === name).length / quiet.length);
    // By latency, of instances that are equally quick, no even shares within seconds; but none is left out.
    findings.atLeast("smallest share of an instance, %", Math.round(100 * Math.min(...shares)), 5);
    findings.figure("p99, ms", Math.round(p99(calls)));

    // A deadline is a span of time, so it is as long as it should be.
    const hurried = await fleet.load({ perSecond: 100, forMs: 1_000, methods: ["relayTwice"], timeoutMs: 200 });
    findings.count("calls with 200 ms that failed", failedCalls(hurried.calls).length, 0);
  },
};

import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { failedCalls, outcomes } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";
import { startSentinels } from "./fleet/sentinels.ts";
import { answersAfter, fullAfter } from "./returns.ts";

const heartbeatMs = 2_000;

/** The registry's Redis master is killed for good, and Sentinels make its replica the master. */
export const redisFailover: Row = {
  name: "mesh-failover",
  claim: "Redis master killed -9 behind Sentinels: no call fails, a new instance is visible within 3 s of the failover",
  minutes: 4,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const sentinels = await startSentinels(ground);
    const fleet = await openFleet(ground, { heartbeatMs, redisUrl: sentinels.url });
    const instances = [...(await fleet.startMany(3))];
    await fleet.warmUp();

    const perSecond = 300;
    const load = fleet.load({ perSecond, forMs: size(40_000, 9_000), methods: ["read", "write"] });
    await sleep(500, undefined, { signal });
    say("kill -9 of the master");
    const killedAt = machineNow();
    await sentinels.master.kill();
    const newcomer = fleet.start();
    await sentinels.failedOver();
    const backAt = machineNow();
    const started = await newcomer;
    instances.push(started);
    const full = await fullAfter(fleet, instances, backAt);
    const { calls, errors } = await load;
    findings.figure("calls a second", perSecond);
    findings.figure("outcomes", JSON.stringify(outcomes(calls)));
    for (const [code, text] of Object.entries(errors)) findings.figure(`first ${code}`, text);
    findings.figure("failover after, ms", Math.round(backAt - killedAt));
    findings.count("calls that failed", failedCalls(calls).length, 0);
    findings.within("a new instance gets calls after the failover", answersAfter(calls, started, backAt), 3_000, "ms");
    findings.within("full again after the failover", full, heartbeatMs, "ms");
  },
};

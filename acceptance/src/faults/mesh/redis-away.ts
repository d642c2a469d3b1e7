import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { failedCalls, outcomes } from "./fleet/calls.ts";
import { later } from "./fleet/later.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";
import { answersAfter, fullAfter } from "./returns.ts";

const heartbeatMs = 2_000;

/** The registry's Redis goes away, forgets everything, and comes back empty, under calls. */
export const redisAway: Row = {
  name: "mesh-redis",
  claim: "Redis killed for a minute, FLUSHALL, restarted empty: no call fails, full again within a heartbeat",
  minutes: 6,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const fleet = await openFleet(ground, { heartbeatMs });
    const { redis } = fleet;
    if (!redis) throw new Error("the fleet has no Redis of its own");
    const instances = [...(await fleet.startMany(3))];
    await fleet.warmUp();

    const perSecond = 300;
    const awayMs = size(60_000, 6_000);
    const pauseMs = size(4, 3) * heartbeatMs;
    findings.figure("calls a second", perSecond);
    findings.figure("Redis away, s", awayMs / 1_000);
    const seen: string[] = [];
    async function under(
      what: string,
      forMs: number,
      fault: () => Promise<(calls: Parameters<typeof answersAfter>[0]) => void>,
    ) {
      say(what);
      const load = fleet.load({ perSecond, forMs, methods: ["read", "write"] });
      const judge = await fault();
      const { calls, errors } = await load;
      findings.figure(`${what}: outcomes`, JSON.stringify(outcomes(calls)));
      findings.count(`${what}: calls that failed`, failedCalls(calls).length, 0);
      for (const [code, text] of Object.entries(errors)) seen.push(`${what}: ${code}: ${text}`);
      judge(calls);
    }

    await under("killed", awayMs + pauseMs, async () => {
      await sleep(500, undefined, { signal });
      await redis.kill();
      const early = Math.min(10_000, awayMs / 2);
      await sleep(awayMs - early, undefined, { signal });
      const newcomer = fleet.start();
      await sleep(early, undefined, { signal });
      await redis.start();
      const backAt = machineNow();
      const started = await newcomer;
      instances.push(started);
      const full = await fullAfter(fleet, instances, backAt);
      return (calls) => {
        findings.within(
          "killed: a new instance gets calls after its return",
          answersAfter(calls, started, backAt),
          3_000,
          "ms",
        );
        findings.within("killed: full again after its return", full, heartbeatMs, "ms");
      };
    });
    await under("FLUSHALL", pauseMs, async () => {
      await sleep(500, undefined, { signal });
      const at = machineNow();
      const answer = await redis.command("FLUSHALL");
      if (!answer.startsWith("+OK")) throw new Error(`FLUSHALL: ${answer}`);
      const full = await fullAfter(fleet, instances, at);
      return () => findings.within("FLUSHALL: full again", full, heartbeatMs, "ms");
    });
    await under("restarted empty", pauseMs, async () => {
      await sleep(500, undefined, { signal });
      await redis.kill();
      await redis.start();
      const backAt = machineNow();
      const newcomer = later(fleet.start().then((started) => ({ started, readyAt: machineNow() })));
      const full = await fullAfter(fleet, instances, backAt);
      const { started, readyAt } = await newcomer;
      instances.push(started);
      return (calls) => {
        findings.within("restarted empty: full again", full, heartbeatMs, "ms");
        findings.within(
          "restarted empty: a new instance gets calls",
          answersAfter(calls, started, readyAt),
          3_000,
          "ms",
        );
      };
    });
    for (const text of seen) findings.figure("first failure", text);
  },
};

import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../until.ts";
import type { Ground, Row } from "../runner/row.ts";
import { attemptsEachSecond, failedCalls, outcomes } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { type Fleet, type FleetInstance, openFleet } from "./fleet/open-fleet.ts";

const heartbeatMs = 2_000;
const perSecond = 300;

/** The main thread of one of five instances stands still, for half the time that is allowed, and of another one for longer. */
export const loopBlocked: Row = {
  name: "mesh-blocked",
  claim: "event loop blocked for 30 s: not removed, at most 2 % of calls; for 90 s: removed after 60 s",
  minutes: 5,
  async run(ground) {
    const { findings, size } = ground;
    const blockedMs = size(60_000, 8_000);
    const [briefMs, longMs] = [blockedMs / 2, 1.5 * blockedMs];
    // Where the defaults are the measure, they are left alone.
    const fleet = await openFleet(ground, {
      heartbeatMs,
      notesAttempts: true,
      ...(blockedMs !== 60_000 && { blockedMs }),
    });
    const [brief, long] = await fleet.startMany(5);
    if (!brief || !long) throw new Error("no instance is there");
    await fleet.warmUp();
    findings.figure("calls a second", perSecond);

    const stay = await block(ground, fleet, brief, briefMs);
    findings.count(`${stay.what}: looks at the registry that missed it`, stay.missedAt.length, 0);
    const leave = await block(ground, fleet, long, longMs);
    // The registry notices by ticks that are a second apart.
    const early = leave.missedAt.filter((ms) => ms < blockedMs - 1_000);
    findings.count(`${leave.what}: looks at the registry that missed it too early`, early.length, 0);
    findings.within("removed after", leave.missedAt[0] ?? Number.POSITIVE_INFINITY, blockedMs + 2 * heartbeatMs, "ms");
    findings.within("registered again after it moves", leave.backAfterMs, 2 * heartbeatMs, "ms");
  },
};

interface Blocked {
  readonly what: string;
  /** When a look at the registry missed it, in milliseconds since it stood still. */
  readonly missedAt: readonly number[];
  /** Until the registry has it, from when it moves. */
  readonly backAfterMs: number;
}

/** Stands one instance's event loop still under calls, and writes to the findings what became of the calls. */
async function block(ground: Ground, fleet: Fleet, instance: FleetInstance, ms: number): Promise<Blocked> {
  const { findings, say, signal } = ground;
  const what = `blocked for ${ms / 1_000} s`;
  say(what);
  const load = fleet.load({ perSecond, forMs: ms + 2 * heartbeatMs, methods: ["read", "write"] });
  await sleep(500, undefined, { signal });
  const blockedAt = machineNow();
  instance.block(ms);
  const missedAt: number[] = [];
  while (machineNow() < blockedAt + ms) {
    const there = (await fleet.registered()).includes(instance.name);
    const at = machineNow() - blockedAt;
    if (!there && at < ms) missedAt.push(at);
    await sleep(100, undefined, { signal });
  }
  const isBack = async (): Promise<true | undefined> =>
    (await fleet.registered()).includes(instance.name) ? true : undefined;
  await until("the instance's return to the registry", isBack);
  const backAfterMs = machineNow() - (blockedAt + ms);
  const { calls } = await load;
  const all = (await fleet.attempts()).filter(({ startedAt }) => startedAt >= blockedAt && startedAt < blockedAt + ms);
  const there = all.filter((attempt) => attempt.instance === instance.name).length;
  findings.figure(`${what}: outcomes`, JSON.stringify(outcomes(calls)));
  findings.figure(`${what}: idempotent calls that failed`, failedCalls(calls, "read").length);
  findings.figure(`${what}: others that failed`, failedCalls(calls, "write").length);
  findings.figure(`${what}: its share of calls, %`, Math.round((1_000 * there) / all.length) / 10);
  findings.figure(
    `${what}: its calls in the first seconds`,
    attemptsEachSecond(all, instance.name, blockedAt, 6).join(", "),
  );
  findings.count(`${what}: its calls beyond 2 %`, Math.max(0, there - Math.floor(0.02 * all.length)), 0);
  return { what, missedAt, backAfterMs };
}

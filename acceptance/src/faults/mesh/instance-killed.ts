import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { attemptsDuring, failedCalls, outcomes } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";

/** One of three instances is killed with -9 under calls, and another one takes its place, again and again. */
export const instanceKilled: Row = {
  name: "mesh-kill",
  claim:
    "kill -9 of one of three instances: no idempotent call fails, others UNAVAILABLE at most, none to it after 1 s",
  minutes: 4,
  async run(ground) {
    const { findings, size, signal } = ground;
    const fleet = await openFleet(ground, { notesAttempts: true });
    const instances = [...(await fleet.startMany(3))];
    await fleet.warmUp();

    const kills = size(8, 2);
    const pauseMs = size(5_000, 3_000);
    const perSecond = 300;
    const load = fleet.load({ perSecond, forMs: (kills + 1) * pauseMs, methods: ["read", "write"] });
    const killed: { readonly name: string; readonly at: number; readonly gone: number }[] = [];
    for (let i = 0; i < kills; i++) {
      await sleep(pauseMs / 2, undefined, { signal });
      const victim = instances.shift();
      if (!victim) throw new Error("no instance is left");
      const at = machineNow();
      await victim.kill();
      killed.push({ name: victim.name, at, gone: machineNow() });
      instances.push(await fleet.start());
      await sleep(pauseMs / 2, undefined, { signal });
    }
    const { calls, retries } = await load;
    const attempts = await fleet.attempts();

    const toKilled = killed.map(({ name, gone }) => attempts.filter((a) => a.instance === name && a.startedAt > gone));
    const late = killed.flatMap(({ gone }, i) => toKilled[i]?.filter((a) => a.startedAt > gone + 1_000) ?? []);
    const last = killed.map(({ gone }, i) => Math.max(0, ...(toKilled[i]?.map((a) => a.startedAt - gone) ?? [])));
    // Until it is gone nobody can know, so what was sent by then was in flight.
    const inFlight = killed.flatMap(({ name, at, gone }) =>
      attemptsDuring(attempts, name, { from: at, to: gone }).filter(({ method }) => method === "write"),
    ).length;
    const failedWrites = failedCalls(calls, "write");
    findings.figure("kills", kills);
    findings.figure("calls a second", perSecond);
    findings.figure("calls", calls.length);
    findings.figure("retries", retries);
    findings.figure("outcomes", JSON.stringify(outcomes(calls)));
    findings.count("idempotent calls that failed", failedCalls(calls, "read").length, 0);
    findings.count(
      "others that failed otherwise than UNAVAILABLE",
      failedWrites.filter(({ outcome }) => outcome !== "UNAVAILABLE").length,
      0,
    );
    findings.figure("others in flight at the kills", inFlight);
    findings.count("others that failed beyond those in flight", Math.max(0, failedWrites.length - inFlight), 0);
    findings.count("calls to a killed instance after 1 s", late.length, 0);
    findings.within("last attempt at a killed instance", Math.max(...last), 1_000, "ms");
  },
};

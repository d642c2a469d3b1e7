import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { attemptsEachSecond, during, failedCalls, outcomes, quietFrom } from "./fleet/calls.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import { openFleet } from "./fleet/open-fleet.ts";

/** What an ejected instance may get in a second: somebody has to find out whether it is back. */
const probesASecond = 4;

/** One of three instances stands still with its sockets open, so that nothing refuses what is sent to it, and goes on later. */
export const instanceStopped: Row = {
  name: "mesh-stop",
  claim: "SIGSTOP of one of three instances: no idempotent call fails, ejected within 3 s, back within 10 s of SIGCONT",
  minutes: 4,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const fleet = await openFleet(ground, { notesAttempts: true });
    const [stopped] = await fleet.startMany(3);
    if (!stopped) throw new Error("no instance is there");
    await fleet.warmUp();

    const perSecond = 300;
    const stoppedMs = size(30_000, 7_000);
    const afterMs = size(20_000, 10_500);
    const load = fleet.load({ perSecond, forMs: 1_000 + stoppedMs + afterMs, methods: ["read", "write"] });
    await sleep(1_000, undefined, { signal });
    say("SIGSTOP");
    const stoppedAt = machineNow();
    stopped.signal("SIGSTOP");
    await sleep(stoppedMs, undefined, { signal });
    say("SIGCONT");
    const goesOnAt = machineNow();
    stopped.signal("SIGCONT");
    const { calls, errors } = await load;
    const attempts = await fleet.attempts();

    const quiet = quietFrom(attempts, stopped.name, { from: stoppedAt, to: goesOnAt }, probesASecond);
    const sinceStop = attempts.filter((a) => a.instance === stopped.name && a.startedAt >= stoppedAt);
    const answersAgain = calls.find(({ instance, startedAt }) => instance === stopped.name && startedAt > goesOnAt);
    const last = during(calls, { from: goesOnAt + afterMs - 3_000 });
    findings.figure("calls a second", perSecond);
    findings.figure("calls", calls.length);
    findings.figure("stopped, s", stoppedMs / 1_000);
    findings.figure("outcomes", JSON.stringify(outcomes(calls)));
    for (const [code, text] of Object.entries(errors)) findings.figure(`first ${code}`, text);
    findings.count("idempotent calls that failed", failedCalls(calls, "read").length, 0);
    findings.figure("others that failed", failedCalls(calls, "write").length);
    findings.figure("attempts at it while it stood", sinceStop.filter((a) => a.startedAt < goesOnAt).length);
    findings.within("ejected after", (quiet ?? Number.POSITIVE_INFINITY) - stoppedAt, 3_000, "ms");
    findings.figure(
      "its calls in the first seconds",
      attemptsEachSecond(attempts, stopped.name, stoppedAt, 6).join(", "),
    );
    findings.within(
      "answers again after SIGCONT",
      (answersAgain?.startedAt ?? Number.POSITIVE_INFINITY) - goesOnAt,
      10_000,
      "ms",
    );
    const share = last.filter(({ instance }) => instance === stopped.name).length / Math.max(1, last.length);
    findings.figure("its share of the last 3 s, %", Math.round(100 * share));
  },
};

import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { failedCalls, outcomes } from "./fleet/calls.ts";
import { later } from "./fleet/later.ts";
import { openFleet } from "./fleet/open-fleet.ts";

/** A service of three instances is deployed anew, one instance after the other, over and over: SIGTERM, then a new process. */
export const rollingRestarts: Row = {
  name: "mesh-rolling",
  claim: "SIGTERM, 20 rolling restarts of a service of three: no call of any kind fails",
  minutes: 10,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const fleet = await openFleet(ground);
    // Some calls outlast the withdrawal by far.
    const behaviour = { longMs: 1_500 };
    let instances = await fleet.startMany(3, { behaviour });
    await fleet.warmUp();

    const rounds = size(20, 2);
    const perSecond = 300;
    const ended = new AbortController();
    const loads: ReturnType<typeof fleet.load>[] = [];
    const calling = later(
      (async () => {
        while (!ended.signal.aborted) {
          const load = fleet.load({ perSecond, forMs: 1_000, methods: ["read", "write"] });
          loads.push(load);
          await Promise.race([load, sleep(1_000)]);
        }
      })(),
    );
    let stops = 0;
    for (let round = 0; round < rounds; round++) {
      const next = [];
      for (const old of instances) {
        signal.throwIfAborted();
        await old.stop();
        stops += 1;
        next.push(await fleet.start({ behaviour }));
      }
      instances = next;
      say(`restart ${round + 1} of ${rounds}`);
    }
    ended.abort();
    await calling;
    const reports = await Promise.all(loads);
    const calls = reports.flatMap((report) => report.calls);
    const errors = Object.assign({}, ...reports.map((report) => report.errors));
    findings.figure("rolling restarts", rounds);
    findings.figure("instances ended", stops);
    findings.figure("calls a second", perSecond);
    findings.figure("calls", calls.length);
    findings.figure("outcomes", JSON.stringify(outcomes(calls)));
    findings.count("idempotent calls that failed", failedCalls(calls, "read").length, 0);
    findings.count("others that failed", failedCalls(calls, "write").length, 0);
    for (const [code, text] of Object.entries(errors)) findings.figure(`first ${code}`, String(text));
  },
};

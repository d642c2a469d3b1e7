import type { FaultPoint } from "@weft/store";
import { until } from "../until.ts";
import { allPrograms, type CrashPlan, openDrill } from "./drill/open-drill.ts";
import type { ProgramName } from "./drill/replica.ts";
import type { Row } from "./runner/row.ts";

/** The steps that each program passes. */
const steps: Readonly<Record<ProgramName, readonly FaultPoint[]>> = {
  publisher: ["before-commit", "after-commit"],
  relay: ["before-publish", "after-publish"],
  subscriber: ["before-effect", "after-effect", "before-ack"],
};

/**
 * Publishers, relays and subscribers, two of each, kill themselves with -9 at one step after the other, at a random
 * passing, and are started again, for as long as there is something to do.
 */
export const eventsKill: Row = {
  name: "events-kill",
  claim: "kill -9 of publisher, relay and subscriber at every step: nothing lost, nothing twice, order per key",
  minutes: 15,
  async run(ground) {
    const { findings, size, say, random } = ground;
    const drill = await openDrill(ground);
    const events = size(20_000, 1_500);
    const keys = size(500, 50);
    await drill.wish(events, keys);

    const farthest = size(600, 300);
    const starts = new Map<ProgramName, number>();
    const crashes: CrashPlan = (program) => {
      const start = starts.get(program) ?? 0;
      starts.set(program, start + 1);
      const point = steps[program][start % steps[program].length];
      return point && { point, passing: 1 + Math.floor(random() * farthest) };
    };
    const startedAt = performance.now();
    const replicas = drill.start(allPrograms, { count: 2, crashes, rollBack: 0.05 });
    const effects = async (): Promise<true | undefined> => ((await drill.effects()) >= events ? true : undefined);
    await until(`the effects of ${events} events`, effects, 600_000);
    const seconds = (performance.now() - startedAt) / 1_000;

    say("all effects are there; one more event of each key, without crashes");
    await Promise.all(replicas.map((replica) => replica.stop()));
    await drill.wish(keys, keys);
    drill.start(allPrograms);
    await drill.settled(60_000);
    for (const point of Object.values(steps).flat())
      findings.figure(`kills at ${point}`, drill.crashes.get(point) ?? 0);
    findings.count("steps with a kill", drill.crashes.size, Object.values(steps).flat().length);
    findings.figure("events a second, kills included", Math.round(events / seconds));
    await drill.audit();
    const { rows } = await drill.source.query("select count(*)::int as n from rolled_back");
    findings.figure("transactions rolled back on purpose", rows[0].n);
  },
};

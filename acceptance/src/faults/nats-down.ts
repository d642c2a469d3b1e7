import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../until.ts";
import { allPrograms, openDrill } from "./drill/open-drill.ts";
import type { Row } from "./runner/row.ts";

/** NATS is away for a while, and whoever changes something does not notice. */
export const natsDown: Row = {
  name: "nats-down",
  claim: "NATS down for a minute: all commands succeed, and the backlog is drained within 15 s of its return",
  minutes: 5,
  async run(ground) {
    const { findings, size, signal } = ground;
    const drill = await openDrill(ground);
    const { nats } = drill.stack.infrastructure;
    await drill.wish(200, 50);
    drill.start(allPrograms);
    await drill.settled(30_000);
    const [before, effectsBefore] = [await drill.granted(), await drill.effects()];

    const downMs = size(60_000, 5_000);
    const commands = size(10_000, 1_000);
    await nats.kill("SIGKILL");
    const back = sleep(downMs, undefined, { signal });
    await drill.wish(commands, size(1_000, 100), 0.8 * downMs, "down-");
    await back;
    findings.figure("NATS down, s", downMs / 1_000);
    findings.count("commands that succeeded meanwhile", (await drill.granted()) - before, commands);
    findings.count("effects meanwhile", (await drill.effects()) - effectsBefore, 0);
    const { rows } = await drill.source.query(`
      select (select count(*)::int from failed) as failed,
        percentile_cont(0.99) within group (order by extract(epoch from granted_at - due) * 1000) as p99
      from wish where key like 'down-%'`);
    findings.count("commands that failed first", rows[0].failed, 0);
    findings.figure("command p99, ms", Math.round(rows[0].p99));

    await nats.start();
    const returnedAt = performance.now();
    const drained = async (): Promise<true | undefined> =>
      (await drill.effects()) - effectsBefore >= commands ? true : undefined;
    await until("the backlog's effects", drained, 120_000);
    findings.within(`backlog of ${commands} drained after its return`, performance.now() - returnedAt, 15_000, "ms");
    await drill.settled(60_000);
    await drill.audit();
  },
};

import { until } from "../until.ts";
import { allPrograms, openDrill } from "./drill/open-drill.ts";
import type { Row } from "./runner/row.ts";

const poisoned = "poison";

/** An event that no handler can take is tried again and again in the midst of others, until it is a dead letter. */
export const poison: Row = {
  name: "poison",
  claim: "a poison message under load: other keys hardly notice, and there is exactly one dead letter",
  minutes: 5,
  async run(ground) {
    const { findings, size } = ground;
    const drill = await openDrill(ground);
    const overMs = size(30_000, 8_000);
    const [events, keys] = [overMs / 5, 100];
    drill.start(allPrograms, { maxDeliver: 6 });
    await drill.wish(500, keys);
    await drill.settled(60_000);

    const p99 = async (prefix: string): Promise<number> => {
      const ascending = await drill.latencies(prefix);
      return ascending[Math.floor(ascending.length * 0.99)] ?? Number.NaN;
    };
    await drill.wish(events, keys, overMs, "calm-");
    await drill.settled(overMs + 60_000);
    const calm = await p99("calm-");

    await drill.sink.query("insert into refused (key) values ($1)", [poisoned]);
    await drill.source.query("insert into wish (key, due) values ($1, clock_timestamp() + interval '1 second')", [
      poisoned,
    ]);
    await drill.wish(events, keys, overMs, "other-");
    const dead = async (): Promise<true | undefined> =>
      (await drill.stream.count("WEFT_DEAD")) > 0 ? true : undefined;
    await until("the dead letter", dead, overMs + 60_000);
    const others = async (): Promise<true | undefined> => {
      const ascending = await drill.latencies("other-");
      return ascending.length === events && Number.isFinite(ascending.at(-1)) ? true : undefined;
    };
    await until("the other events' effects", others, overMs + 60_000);
    const disturbed = await p99("other-");
    findings.figure("events a second", Math.round((events / overMs) * 1_000));
    findings.figure("p99 without poison, ms", calm.toFixed(1));
    findings.figure("p99 of other keys beside poison, ms", disturbed.toFixed(1));
    findings.within("p99 beside poison", disturbed / calm, 2, "times");
    findings.count("dead letters", await drill.stream.count("WEFT_DEAD"), 1);
    findings.count("effects of the poison", (await drill.effects()) - 500 - 2 * events, 0);
  },
};

import { deadLetterStream } from "@weft/events";
import { createJetStreamBroker } from "@weft/events/jetstream";
import { listDeadLetters, replayDeadLetters } from "@weft/events/operations";
import { until } from "../until.ts";
import { sinkName } from "./drill/granted.ts";
import { allPrograms, type Drill, openDrill } from "./drill/open-drill.ts";
import type { Ground, Row } from "./runner/row.ts";

/**
 * An event that no handler can take is tried again and again in the midst of others, until it is a dead letter. Rounds
 * without and with poison in turn, so that whatever else the machine does is in both.
 */
export const poison: Row = {
  name: "poison",
  claim: "a poison message under load: other keys hardly notice; one dead letter, which is replayed after the mend",
  minutes: 8,
  async run(ground) {
    const { findings, size, say } = ground;
    const drill = await openDrill(ground);
    const rounds = size(5, 4);
    const overMs = size(8_000, 2_000);
    // Of a few hundred events the slowest hundredth tells of one pause of the machine. Pauses only add: the quietest round has fewest.
    const [percent, ofRounds] = [size(99, 90), size(50, 0)];
    const [events, keys] = [overMs / 10, 100];
    drill.start(allPrograms, { maxDeliver: 6 });
    let wished = 500;
    await drill.wish(wished, keys, 2_000);
    await drill.settled(60_000);

    /** The percentile of the wishes whose keys begin so, once all have their effects. Asks for no more than it must: that would be seen. */
    const latency = async (keys: string): Promise<number> => {
      wished += events;
      const done = async () => ((await drill.effects()) >= wished ? true : undefined);
      await until(`the effects of ${keys}*`, done, overMs + 60_000);
      return percentile(await drill.latencies(keys), percent);
    };
    const [calm, disturbed]: [number[], number[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      await drill.wish(events, keys, overMs, `calm-${round}-`);
      calm.push(await latency(`calm-${round}-`));

      const poisoned = `poison-${round}`;
      await drill.sink.query("insert into refused (key) values ($1)", [poisoned]);
      await drill.source.query("insert into wish (key, due) values ($1, clock_timestamp())", [poisoned]);
      await drill.wish(events, keys, overMs, `other-${round}-`);
      await deadLetters(drill, round, overMs + 60_000);
      disturbed.push(await latency(`other-${round}-`));
      say(
        `round ${round}: p${percent} ${calm.at(-1)?.toFixed(1)} ms, beside poison ${disturbed.at(-1)?.toFixed(1)} ms`,
      );
    }
    findings.figure("events a second", Math.round((events / overMs) * 1_000));
    const [without, beside] = [percentile(calm, ofRounds), percentile(disturbed, ofRounds)];
    findings.figure(`p${percent} without poison, ms`, without.toFixed(1));
    findings.figure(`p${percent} of other keys beside poison, ms`, beside.toFixed(1));
    findings.within(`p${percent} beside poison`, beside / without, 2, "times");
    findings.count("effects of poison", (await drill.effects()) - wished, 0);
    await replayAll(ground, drill, rounds);
    await drill.audit();
  },
};

/** An operator's part: what the handler refused is mended, and each dead letter goes back to it. */
async function replayAll(ground: Ground, drill: Drill, poisoned: number): Promise<void> {
  const { findings } = ground;
  const broker = createJetStreamBroker({ url: drill.stack.env.NATS_URL as string, name: "operator" });
  ground.atEnd(() => broker.close());
  await new Promise<void>((resolve) => void broker.onAvailable(resolve));
  const letters = await listDeadLetters(broker, { service: sinkName });
  findings.count("dead letters", await drill.stream.count(deadLetterStream.name), poisoned);
  findings.count(
    "dead letters that tell why",
    letters.filter(({ error }) => /are refused$/.test(error)).length,
    poisoned,
  );

  await drill.sink.query("truncate refused");
  findings.count("dead letters replayed", await replayDeadLetters(broker, { service: sinkName }), poisoned);
  const gone = async () => ((await drill.stream.count(deadLetterStream.name)) === 0 ? true : undefined);
  await until("the end of the dead letters", gone, 30_000);
  await drill.settled(30_000);
}

async function deadLetters(drill: Drill, count: number, timeoutMs: number): Promise<void> {
  const there = async () => ((await drill.stream.count(deadLetterStream.name)) >= count ? true : undefined);
  await until(`dead letter ${count}`, there, timeoutMs);
}

function percentile(values: readonly number[], percent: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length * percent) / 100)] ?? Number.NaN;
}

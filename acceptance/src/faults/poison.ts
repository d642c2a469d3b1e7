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
    const rounds = size(5, 3);
    const overMs = size(8_000, 3_000);
    const [events, keys] = [overMs / 10, 100];
    drill.start(allPrograms, { maxDeliver: 6 });
    await drill.wish(500, keys, 2_000);
    await drill.settled(60_000);

    const [calm, disturbed]: [number[], number[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      await drill.wish(events, keys, overMs, `calm-${round}-`);
      await effectsOf(drill, `calm-${round}-`, events, overMs + 60_000);
      calm.push(await p99(drill, `calm-${round}-`));

      const poisoned = `poison-${round}`;
      await drill.sink.query("insert into refused (key) values ($1)", [poisoned]);
      await drill.source.query("insert into wish (key, due) values ($1, clock_timestamp())", [poisoned]);
      await drill.wish(events, keys, overMs, `other-${round}-`);
      await deadLetters(drill, round, overMs + 60_000);
      await effectsOf(drill, `other-${round}-`, events, overMs + 60_000);
      disturbed.push(await p99(drill, `other-${round}-`));
      say(`round ${round}: p99 ${calm.at(-1)?.toFixed(1)} ms, beside poison ${disturbed.at(-1)?.toFixed(1)} ms`);
    }
    findings.figure("events a second", Math.round((events / overMs) * 1_000));
    findings.figure("p99 without poison, ms", median(calm).toFixed(1));
    findings.figure("p99 of other keys beside poison, ms", median(disturbed).toFixed(1));
    findings.within("p99 beside poison", median(disturbed) / median(calm), 2, "times");
    findings.count("effects of poison", (await drill.effects()) - 500 - 2 * rounds * events, 0);
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

async function p99(drill: Drill, keys: string): Promise<number> {
  const ascending = await drill.latencies(keys);
  return ascending[Math.floor(ascending.length * 0.99)] ?? Number.NaN;
}

async function deadLetters(drill: Drill, count: number, timeoutMs: number): Promise<void> {
  const there = async () => ((await drill.stream.count(deadLetterStream.name)) >= count ? true : undefined);
  await until(`dead letter ${count}`, there, timeoutMs);
}

async function effectsOf(drill: Drill, keys: string, events: number, timeoutMs: number): Promise<void> {
  const done = async (): Promise<true | undefined> => {
    const ascending = await drill.latencies(keys);
    return ascending.length === events && Number.isFinite(ascending.at(-1)) ? true : undefined;
  };
  await until(`the effects of ${keys}*`, done, timeoutMs);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.ts";
import { allPrograms, openDrill } from "./drill/open-drill.ts";
import type { Row } from "./runner/row.ts";

/** NATS forgets what it had acknowledged, in two ways, while events go on: the outbox fills it again. */
export const natsLost: Row = {
  name: "nats-lost",
  claim: "the stream deleted, and its store put back to an older copy, under load: refilled, nothing lost or doubled",
  minutes: 6,
  async run(ground) {
    const { findings, size, say } = ground;
    const drill = await openDrill(ground);
    const { nats } = drill.stack.infrastructure;
    const store = join(drill.dataDir, "nats");
    const copy = join(ground.folder(), "nats");
    const events = size(9_000, 1_200);
    await drill.wish(events, size(300, 60), size(60_000, 12_000));
    drill.start(allPrograms, { count: 2 });
    const whenGranted = (share: number): Promise<true> => {
      const reached = async () => ((await drill.granted()) >= share * events ? true : undefined);
      return until(`the grant of ${share * events} wishes`, reached, 120_000);
    };

    await whenGranted(0.25);
    say("the stream is deleted");
    findings.figure("events in the stream when it was deleted", await drill.stream.count());
    await drill.stream.delete();

    await whenGranted(0.5);
    const copied = await drill.stream.count();
    await nats.kill("SIGKILL");
    cpSync(store, copy, { recursive: true });
    await nats.start();

    await whenGranted(0.75);
    const forgotten = (await drill.stream.count()) - copied;
    if (forgotten <= 0) throw new Error("the older copy has all there is: this run shows nothing");
    findings.figure("events that the older copy had not", forgotten);
    await nats.kill("SIGKILL");
    say("its store is put back to the older copy");
    rmSync(store, { recursive: true });
    cpSync(copy, store, { recursive: true });
    await nats.start();

    await whenGranted(1);
    const grantedAt = performance.now();
    await drill.settled(120_000);
    findings.figure("last event to the last effect, ms", Math.round(performance.now() - grantedAt));
    findings.figure("events in the stream at the end", await drill.stream.count());
    await drill.audit();
  },
};

import { allPrograms, openDrill } from "./drill/open-drill.ts";
import type { Row } from "./runner/row.ts";

/** Old events come again and again, long after the broker could know them: each under a message id that it never saw. */
export const redeliveries: Row = {
  name: "redeliveries",
  claim: "old events again, outside the broker's duplicate window: no extra effect",
  minutes: 20,
  async run(ground) {
    const { findings, size, say } = ground;
    const drill = await openDrill(ground);
    await drill.wish(size(5_000, 500), size(500, 50));
    drill.start(allPrograms);
    await drill.settled(60_000);
    const events = await drill.stream.count();

    const again = size(100_000, 5_000);
    say(`${events} events have their effect; ${again} redeliveries of them`);
    const startedAt = performance.now();
    await drill.stream.redeliver(again);
    await drill.settled(900_000);
    const seconds = (performance.now() - startedAt) / 1_000;
    findings.count("redeliveries that the broker took for new", (await drill.stream.count()) - events, again);
    findings.figure("redeliveries a second, published and absorbed", Math.round(again / seconds));
    await drill.audit();
  },
};

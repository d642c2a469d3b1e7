import type { Part } from "@weft/devstack";
import { until } from "../until.ts";
import { allPrograms, type Drill, openDrill } from "./drill/open-drill.ts";
import type { Row } from "./runner/row.ts";

/** A cluster loses one of its servers, and then each is restarted in turn, while events go on. */
export const natsNode: Row = {
  name: "nats-node",
  claim: "one of three NATS servers killed -9, then each restarted in turn: publishing stalls ≤ 5 s, nothing lost",
  minutes: 8,
  async run(ground) {
    const { findings, size, say } = ground;
    const drill = await openDrill(ground, { cluster: true });
    const nodes = drill.stack.infrastructure.nats.nodes ?? [];
    const overMs = size(90_000, 30_000);
    const events = overMs / 10;
    drill.start(allPrograms);
    await drill.wish(events, size(200, 50), overMs);
    const pauseMs = overMs / 8;
    const whenGranted = (share: number): Promise<true> => {
      const reached = async () => ((await drill.granted()) > share * events ? true : undefined);
      return until(`the grant of ${share * events} wishes`, reached, overMs + 60_000);
    };
    await whenGranted(1 / 8);
    const leader = await leaderOf(drill, nodes);
    say(`kill -9 ${leader.name}, which leads the stream`);
    await leader.kill("SIGKILL");
    await whenGranted(2 / 8);
    await leader.start();
    for (const [i, node] of nodes.entries()) {
      await whenGranted((3 + i) / 8);
      say(`restart of ${node.name}`);
      await node.stop();
      await node.start();
    }
    await drill.settled(overMs + 60_000);
    findings.figure("servers", nodes.length);
    findings.figure("restarts", nodes.length + 1);
    findings.figure("events a second", Math.round((events / overMs) * 1_000));
    findings.figure("pause between two faults, ms", pauseMs);
    const { longestGap, longestWait } = await drill.stream.delays();
    findings.within("longest publish stall", longestGap, 5_000, "ms");
    findings.within("longest from commit to stream", longestWait, 5_000, "ms");
    findings.figure("longest from commit to effect, ms", Math.round((await drill.latencies()).at(-1) ?? 0));
    await drill.audit();
  },
};

/** The server that leads the drill's stream. */
async function leaderOf(drill: Drill, nodes: readonly Part[]): Promise<Part> {
  const name = await drill.stream.leader();
  const leader = nodes.find((node) => node.name === name);
  if (!leader) throw new Error(`no server leads the stream: ${name}`);
  return leader;
}

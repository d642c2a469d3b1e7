import type { Row } from "../runner/row.ts";
import { outcomes } from "./fleet/calls.ts";
import { type FleetInstance, openFleet } from "./fleet/open-fleet.ts";
import type { MethodName } from "./fleet/programs/orders.ts";

/** Nobody answers: retries must not add to what there is to do, and must not multiply from hop to hop. */
export const allFail: Row = {
  name: "mesh-all-fail",
  claim: "every instance fails: attempts at most 1.2 times the calls over one hop, 1.5 times over three",
  minutes: 4,
  async run(ground) {
    const { findings, size } = ground;
    const fleet = await openFleet(ground, { callers: 1 });
    const [back] = await Promise.all([
      fleet.startMany(3),
      fleet.start({ service: "middle", behaviour: { latencyMs: 0 } }),
      fleet.start({ service: "front", behaviour: { latencyMs: 0 } }),
    ]);

    async function failing(way: string, method: MethodName, forMs: number, most: number): Promise<void> {
      for (const instance of back) instance.behave({});
      await fleet.warmUp([method]);
      const before = await handlers(back);
      for (const instance of back) instance.behave({ failWith: "UNAVAILABLE", latencyMs: 0 });
      const { calls, retries } = await fleet.load({ perSecond: 500, forMs, methods: [method] });
      const arrived = (await handlers(back)) - before;
      // What the caller tried counts too where it found nobody to try it with.
      const attempts = Math.max(arrived, calls.length + retries);
      findings.figure(`${way}: calls`, calls.length);
      findings.figure(`${way}: outcomes`, JSON.stringify(outcomes(calls)));
      findings.figure(`${way}: retries of the first caller`, retries);
      findings.figure(`${way}: attempts that arrived at the last hop`, arrived);
      findings.figure(`${way}: attempts a call`, Math.round((1_000 * attempts) / calls.length) / 1_000);
      findings.count(
        `${way}: attempts beyond ${most} times the calls`,
        Math.max(0, attempts - Math.floor(most * calls.length)),
        0,
      );
    }

    await failing("one hop", "read", size(20_000, 5_000), 1.2);
    await failing("three hops", "relayTwice", size(20_000, 8_000), 1.5);
  },
};

async function handlers(instances: readonly FleetInstance[]): Promise<number> {
  const served = await Promise.all(instances.map((instance) => instance.served()));
  return served.reduce((sum, each) => sum + each.length, 0);
}

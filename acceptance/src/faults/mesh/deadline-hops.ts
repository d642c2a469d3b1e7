import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../runner/row.ts";
import { outcomes, quantile } from "./fleet/calls.ts";
import { openFleet } from "./fleet/open-fleet.ts";
import type { Call, Served } from "./fleet/programs/orders.ts";

const timeoutMs = 100;
/** What every hop may take to notice: a deadline travels as a span of time, so what a message needs to arrive isn't in it. */
const graceMs = 20;

/** A call over three services whose caller waits for a tenth of a second: when its time is up, nobody works on it any more. */
export const deadlineHops: Row = {
  name: "mesh-deadline",
  claim: "100 ms over three hops, the last one slow: all stop by 120 ms, and no handler starts after expiry",
  minutes: 3,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    const fleet = await openFleet(ground);
    const names = ["front", "middle", "back"] as const;
    const hops = await Promise.all(names.map((service) => fleet.start({ service, behaviour: { latencyMs: 0 } })));
    const [front, middle, back] = hops;
    if (!front || !middle || !back) throw new Error("no instance is there");
    await fleet.warmUp(["relayTwice"]);
    const perSecond = 200;
    findings.figure("calls a second", perSecond);

    async function during(what: string): Promise<readonly Call[]> {
      say(what);
      const load = { perSecond, forMs: size(15_000, 3_000), methods: ["relayTwice"], timeoutMs } as const;
      const { calls } = await fleet.load(load);
      // Who gave up is not who stops last.
      await sleep(500, undefined, { signal });
      findings.figure(`${what}: calls`, calls.length);
      findings.figure(`${what}: outcomes`, JSON.stringify(outcomes(calls)));
      const all = [{ name: "caller", ends: calls.map(({ tookMs }) => tookMs), starts: [] as number[], expired: 0 }];
      for (const [i, hop] of hops.entries())
        all.push({ name: names[i] ?? "", ...sinceTheCalls(calls, await hop.served()) });
      for (const { name, ends } of all) {
        findings.within(`${what}: ${name} stops, p99`, quantile(ends, 0.99), timeoutMs + graceMs, "ms");
        findings.within(`${what}: ${name} stops, slowest`, Math.max(0, ...ends), timeoutMs + graceMs, "ms");
      }
      for (const { name, starts, expired } of all.slice(1)) {
        findings.figure(`${what}: handlers of ${name}`, starts.length);
        findings.figure(`${what}: latest start of ${name}, ms`, Math.round(10 * Math.max(0, ...starts)) / 10);
        findings.figure(
          `${what}: starts of ${name} after the caller gave up`,
          starts.filter((ms) => ms > timeoutMs).length,
        );
        findings.count(
          `${what}: starts of ${name} after ${timeoutMs + graceMs} ms`,
          starts.filter((ms) => ms > timeoutMs + graceMs).length,
          0,
        );
        findings.count(`${what}: starts of ${name} with no time left`, expired, 0);
      }
      return calls;
    }

    back.behave({ latencyMs: 2_000 });
    const calls = await during("last hop slow");
    findings.count("calls that got an answer", calls.filter(({ outcome }) => outcome === "OK").length, 0);
    // Many of them expire on their way.
    front.behave({ latencyMs: 40 });
    middle.behave({ latencyMs: 40 });
    await during("every hop slow");
  },
};

/** When the handlers of these calls began and ended, in milliseconds since their calls began. */
function sinceTheCalls(
  calls: readonly Call[],
  served: readonly Served[],
): { readonly starts: number[]; readonly ends: number[]; readonly expired: number } {
  const began = new Map(calls.map(({ id, startedAt }) => [id, startedAt]));
  const own = served.filter(({ call }) => began.has(call));
  return {
    expired: own.filter(({ leftMs }) => leftMs !== undefined && leftMs <= 0).length,
    starts: own.map(({ call, startedAt }) => startedAt - (began.get(call) ?? 0)),
    ends: own.map(({ call, endedAt }) => (endedAt ?? Number.POSITIVE_INFINITY) - (began.get(call) ?? 0)),
  };
}

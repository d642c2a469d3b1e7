import { join } from "node:path";
import type { Measured } from "./balance/load.ts";
import type { ServerOrder } from "./balance/server.ts";
import { variants } from "./balance/variants.ts";
import { type createReport, quantile } from "./report.ts";
import { type Child, startChild } from "./rpc/child.ts";
import type { Size } from "./size.ts";

type Report = ReturnType<typeof createReport>;

const callsPerSecond = 300;
const theDefault = "weft peak-ewma";

/**
 * Five servers, each a process, of which one answers 500 ms late: how much of an open loop's calls each balancer still sends there
 * at first and once it had 5 s to learn, and how long calls then take. Before it, the default with all five well.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const [settleMs, measuredMs] = [size(5_000, 400), size(8_000, 600)];
  const started = await Promise.all(Array.from({ length: 5 }, () => startChild(program("server.ts"))));
  const servers = started.map(({ child }) => child);
  const ports = started.map(({ said }) => said as number);
  const measure = async (variant: string, name: string): Promise<{ slowShare: number; p99: number }> => {
    const { child: client } = await startChild(program("client.ts"), variant, JSON.stringify(ports));
    try {
      const first = await perform(client, servers, settleMs);
      const then = await perform(client, servers, measuredMs);
      const p99 = quantile(then.times, 0.99);
      report.row({
        variant: name,
        rps: Math.round((then.times.length / measuredMs) * 1_000),
        p50_ms: quantile(then.times, 0.5),
        p99_ms: p99,
        errors: first.errors + then.errors,
        slow_percent_at_first: percent(first.lastServersShare),
        slow_percent: percent(then.lastServersShare),
      });
      const error = first.firstError ?? then.firstError;
      if (error !== undefined) process.stderr.write(`bench: ${variant}: ${error}\n`);
      return { slowShare: then.lastServersShare, p99 };
    } finally {
      await client.close();
    }
  };
  try {
    const well = await measure(theDefault, `${theDefault}, none slow`);
    const late: ServerOrder = { lateByMs: 500 };
    await servers.at(-1)?.ask(late);
    for (const variant of Object.keys(variants)) {
      const { slowShare, p99 } = await measure(variant, variant);
      if (variant !== theDefault) continue;
      bar(report, `${theDefault} slow one's share`, "slow_percent", percent(slowShare), 5);
      bar(report, `${theDefault} / none slow`, "p99_ratio", Math.round((p99 / well.p99) * 100) / 100, 2);
    }
  } finally {
    for (const server of servers) await server.close();
  }
}

async function perform(client: Child, servers: readonly Child[], forMs: number) {
  const before = await counts(servers);
  const measured = (await client.ask({ callsPerSecond, forMs })) as Measured;
  const taken = (await counts(servers)).map((count, i) => count - (before[i] ?? 0));
  return { ...measured, lastServersShare: (taken.at(-1) ?? 0) / taken.reduce((sum, count) => sum + count, 0) };
}

async function counts(servers: readonly Child[]): Promise<readonly number[]> {
  const none: ServerOrder = {};
  return Promise.all(servers.map(async (server) => (await server.ask(none)) as number));
}

function program(file: string): string {
  return join(import.meta.dirname, "balance", file);
}

function percent(share: number): number {
  return Math.round(share * 1_000) / 10;
}

function bar(report: Report, variant: string, figure: string, value: number, most: number): void {
  report.row({ variant, [figure]: value, at_most: most, held: value <= most ? "yes" : "no" });
}

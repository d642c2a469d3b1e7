import { type createReport, median, type Row } from "./report.ts";
import { h2load } from "./rpc/h2load.ts";
import type { Load, Measured } from "./rpc/load.ts";
import { type Pair, startIdle, startPair } from "./rpc/pair.ts";
import type { Size } from "./size.ts";

type Report = ReturnType<typeof createReport>;

interface Case {
  readonly name: string;
  readonly operation: Load["operation"];
  readonly concurrency: number;
  readonly variants: readonly string[];
}

const all = ["weft", "weft-tls", "grpc-js", "connect-node", "moleculer-tcp", "fastify-json", "net-framed"];
const streaming = ["weft", "weft-tls", "grpc-js", "connect-node", "net-framed"];
const cases: readonly Case[] = [
  ...[1, 16, 64, 256].map((concurrency) => ({ name: "", operation: "unary" as const, concurrency, variants: all })),
  { name: " stream", operation: "stream", concurrency: 4, variants: streaming },
  { name: " 1 MiB", operation: "picture", concurrency: 4, variants: streaming },
];

/** What Weft is to reach, as a multiple of a peer in the same run. */
const bars: readonly {
  readonly of: string;
  readonly to: string;
  readonly name: string;
  readonly concurrency: number;
  readonly figure: "rps" | "p50_ms";
  readonly bar: number;
}[] = [
  { of: "weft", to: "grpc-js", name: "", concurrency: 64, figure: "rps", bar: 8 },
  { of: "weft", to: "connect-node", name: "", concurrency: 64, figure: "rps", bar: 25 },
  { of: "weft", to: "moleculer-tcp", name: "", concurrency: 64, figure: "rps", bar: 1 },
  { of: "weft-tls", to: "weft", name: "", concurrency: 64, figure: "rps", bar: 0.8 },
  { of: "weft", to: "grpc-js", name: "", concurrency: 1, figure: "p50_ms", bar: 0.5 },
  { of: "weft", to: "grpc-js", name: " stream", concurrency: 4, figure: "rps", bar: 3 },
  { of: "weft", to: "grpc-js", name: " 1 MiB", concurrency: 4, figure: "rps", bar: 1 },
  { of: "weft", to: "grpc-js", name: " h2load", concurrency: 256, figure: "rps", bar: 6 },
];

/**
 * The same calls over Weft and over what else a team would take, in turn, client and server a process each: unary calls, streams of
 * messages of 1 KiB (messages a second), and messages of 1 MiB there and back.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const [rounds, warmUpMs, measuredMs] = [size(3, 1), size(700, 100), size(2_000, 150)];
  const pairs = new Map<string, Pair>();
  try {
    for (const variant of all) pairs.set(variant, await startPair(variant));
    const rows = new Map<string, Row>();
    for (const each of cases) {
      const measured = new Map<string, Measured[]>(each.variants.map((variant) => [variant, []]));
      for (let round = 0; round < rounds; round++) {
        for (const variant of each.variants) {
          const { operation, concurrency } = each;
          const one = await pairs.get(variant)?.perform({ operation, concurrency, warmUpMs, measuredMs });
          if (one) measured.get(variant)?.push(one);
          if (one?.firstError) process.stderr.write(`bench: ${variant}: ${one.firstError}\n`);
        }
      }
      for (const [variant, some] of measured) add(report, rows, variant, each, some);
    }
    for (const variant of ["weft", "grpc-js"]) {
      const one = await h2load(pairs.get(variant)?.port ?? 0, size(200_000, 2_000));
      if (one)
        note(report, rows, {
          variant: `${variant} h2load`,
          concurrency: 256,
          rps: Math.round(one.perSecond),
          errors: one.errors,
        });
    }
    for (const bar of bars) compare(report, rows, bar);
  } finally {
    for (const pair of pairs.values()) await pair.close();
  }
  await idle(report, size(10_000, 500));
}

/** What connections cost on which nothing happens: to their server, and to a client that has all of them. */
async function idle(report: Report, connections: number): Promise<void> {
  const none = await startIdle("weft", 0);
  const [, serverAlone = 0] = none.memory();
  await none.close();
  const many = await startIdle("weft", connections);
  const [client_mib = 0, server_mib = 0] = many.memory();
  await many.close();
  report.row({
    variant: "weft idle",
    connections,
    client_mib,
    server_mib,
    server_kib_each: Math.round(((server_mib - serverAlone) / connections) * 10_240) / 10,
    at_most_mib: 400,
    held: Math.max(client_mib, server_mib) < 400 ? "yes" : "no",
  });
}

function add(
  report: Report,
  rows: Map<string, Row>,
  variant: string,
  { name, concurrency }: Pick<Case, "name" | "concurrency">,
  measured: readonly Measured[],
): void {
  const of = (figure: "perSecond" | "p50" | "p99"): number => median(measured.map((one) => one[figure]));
  note(report, rows, {
    variant: `${variant}${name}`,
    concurrency,
    rps: Math.round(of("perSecond")),
    p50_ms: Math.round(of("p50") * 1_000) / 1_000,
    p99_ms: Math.round(of("p99") * 1_000) / 1_000,
    errors: measured.reduce((sum, { errors }) => sum + errors, 0),
  });
}

function note(report: Report, rows: Map<string, Row>, row: Row): void {
  rows.set(`${row.variant} ${row.concurrency}`, row);
  report.row(row);
}

function compare(
  report: Report,
  rows: Map<string, Row>,
  { of, to, name, concurrency, figure, bar }: (typeof bars)[0],
): void {
  const ours = rows.get(`${of}${name} ${concurrency}`)?.[figure];
  const theirs = rows.get(`${to}${name} ${concurrency}`)?.[figure];
  if (ours === undefined || theirs === undefined) return;
  const ratio = Math.round((ours / theirs) * 100) / 100;
  const isHeld = figure === "rps" ? ratio >= bar : ratio <= bar;
  report.row({
    variant: `${of}${name} / ${to}`,
    concurrency,
    [`${figure}_ratio`]: ratio,
    [figure === "rps" ? "at_least" : "at_most"]: bar,
    held: isHeld ? "yes" : "no",
  });
}

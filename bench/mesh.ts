import { resolve } from "node:path";
import { startEphemeralInfrastructure } from "@weft/devstack";
import { startCollector } from "@weft/testkit";
import { type createReport, median, type Row } from "./report.ts";
import type { Measured } from "./rpc/load.ts";
import { type Pair, startPair } from "./rpc/pair.ts";
import type { Size } from "./size.ts";

const variants = ["weft-mesh", "weft", "grpc-js", "connect-node", "moleculer-tcp", "moleculer-policies"];

/** What the mesh with all of its policies is to reach, as a multiple of a peer in the same run. */
const bars: readonly { readonly to: string; readonly bar: number }[] = [
  { to: "grpc-js", bar: 5 },
  { to: "moleculer-policies", bar: 1.5 },
  // At most 40 % more time a call than bare.
  { to: "weft", bar: 1 / 1.4 },
];

/**
 * The whole client and server stacks beside what carries the calls alone, and beside Moleculer with its own policies: discovery, balancer, breaker,
 * bulkhead, retry, deadline, validation, tracing of one call in a hundred, metrics.
 */
export async function run(report: ReturnType<typeof createReport>, size: Size): Promise<void> {
  const [rounds, warmUpMs, measuredMs] = [size(3, 1), size(700, 100), size(2_000, 150)];
  const infrastructure = await startEphemeralInfrastructure(resolve(import.meta.dirname, ".."), process.env, () => {});
  const collector = await startCollector();
  Object.assign(process.env, {
    REDIS_URL: infrastructure.redis.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.01",
  });
  const pairs = new Map<string, Pair>();
  try {
    for (const variant of variants) pairs.set(variant, await startPair(variant));
    for (const concurrency of [1, 16, 64, 256]) {
      const measured = new Map<string, Measured[]>(variants.map((variant) => [variant, []]));
      for (let round = 0; round < rounds; round++) {
        for (const [variant, pair] of pairs) {
          const one = await pair.perform({ operation: "unary", concurrency, warmUpMs, measuredMs });
          measured.get(variant)?.push(one);
          if (one.firstError) process.stderr.write(`bench: ${variant}: ${one.firstError}\n`);
        }
      }
      const rows = [...measured].map(([variant, some]) => rowOf(variant, concurrency, some));
      for (const row of rows) report.row(row);
      if (concurrency === 64) for (const { to, bar } of bars) compare(report, rows, to, bar);
    }
  } finally {
    for (const pair of pairs.values()) await pair.close();
    await collector.close();
    await infrastructure.stop();
  }
}

function rowOf(variant: string, concurrency: number, measured: readonly Measured[]): Row {
  const of = (figure: "perSecond" | "p50" | "p99"): number => median(measured.map((one) => one[figure]));
  return {
    variant,
    concurrency,
    rps: Math.round(of("perSecond")),
    p50_ms: Math.round(of("p50") * 1_000) / 1_000,
    p99_ms: Math.round(of("p99") * 1_000) / 1_000,
    errors: measured.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function compare(report: ReturnType<typeof createReport>, rows: readonly Row[], to: string, bar: number): void {
  const of = (variant: string): number => rows.find((row) => row.variant === variant)?.rps ?? Number.NaN;
  const ratio = Math.round((of("weft-mesh") / of(to)) * 100) / 100;
  report.row({
    variant: `weft-mesh / ${to}`,
    concurrency: 64,
    rps_ratio: ratio,
    at_least: Math.round(bar * 100) / 100,
    held: ratio >= bar ? "yes" : "no",
  });
}

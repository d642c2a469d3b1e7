import { resolve } from "node:path";
import { startEphemeralInfrastructure } from "@weft/devstack";
import { startCollector } from "@weft/testkit";
import { type createReport, median } from "./report.ts";
import { type Pair, startPair } from "./rpc/pair.ts";
import type { Size } from "./size.ts";

const concurrency = 64;
const base = "no exporter";

interface Variant {
  readonly name: string;
  readonly pair: string;
  /** Whether a collector takes metrics, and one trace in a hundred. */
  readonly exports?: boolean;
}

const variants: readonly Variant[] = [
  { name: base, pair: "weft-mesh" },
  { name: "no trace context", pair: "weft-mesh-untraced" },
  { name: "explain, 1 %", pair: "weft-mesh-explained" },
  { name: "metrics, 1 % of traces", pair: "weft-mesh", exports: true },
];

/**
 * What a call of the whole mesh costs client and server where nobody looks on, and how much more or less with what is named. Counted in
 * processor time, and over several processes of each kind, since two that run the same code differ by some per cent.
 */
export async function run(report: ReturnType<typeof createReport>, size: Size): Promise<void> {
  const [rounds, measuredMs] = [size(9, 1), size(3_000, 150)];
  const infrastructure = await startEphemeralInfrastructure(resolve(import.meta.dirname, ".."), process.env, () => {});
  const collector = await startCollector();
  const exporting = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.01",
  };
  process.env.REDIS_URL = infrastructure.redis.url;
  const costs = new Map(variants.map(({ name }) => [name, [] as number[]]));
  let errors = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { name, pair: kind, exports } of variants) {
        if (exports) Object.assign(process.env, exporting);
        else for (const variable of Object.keys(exporting)) delete process.env[variable];
        const pair = await startPair(kind);
        try {
          const measured = await microsPerCall(pair, measuredMs);
          costs.get(name)?.push(measured.micros);
          errors += measured.errors;
        } finally {
          await pair.close();
        }
      }
    }
  } finally {
    await collector.close();
    await infrastructure.stop();
  }
  const usual = median(costs.get(base) ?? []);
  for (const [variant, samples] of costs) {
    const micros = median(samples);
    report.row({
      variant,
      concurrency,
      cpu_us_per_call: Math.round(micros * 100) / 100,
      more_percent: Math.round((micros / usual - 1) * 1_000) / 10,
    });
  }
  report.row({ variant: "all", concurrency, errors });
}

async function microsPerCall(pair: Pair, measuredMs: number): Promise<{ micros: number; errors: number }> {
  const load = { operation: "unary", concurrency } as const;
  // A server that sheds, and whose code is not compiled yet, gets a few at first.
  await pair.perform({ ...load, concurrency: 4, warmUpMs: measuredMs / 2, measuredMs: measuredMs / 2 });
  await pair.perform({ ...load, warmUpMs: measuredMs / 2, measuredMs: measuredMs / 2 });
  const before = pair.computed();
  const { calls, errors, firstError } = await pair.perform({ ...load, warmUpMs: 0, measuredMs });
  if (firstError) process.stderr.write(`bench: ${firstError}\n`);
  return { micros: (1_000 * (pair.computed() - before)) / calls, errors };
}

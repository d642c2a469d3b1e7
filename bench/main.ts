import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { createReport } from "./report.ts";

/** One benchmark: a file of this folder that exports `run`. */
export interface Benchmark {
  run(report: ReturnType<typeof createReport>): Promise<void>;
}

const notBenchmarks = new Set(["main", "report"]);
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .filter((name) => !notBenchmarks.has(name));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const [name] = positionals;
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`bench: say which: npm run bench -- NAME [--json], where NAME is one of ${names.join(", ")}\n`);
  process.exit(2);
}
const report = createReport(name, values.json);
const benchmark = (await import(`./${name}.ts`)) as Benchmark;
await benchmark.run(report);
process.exit(report.finish());

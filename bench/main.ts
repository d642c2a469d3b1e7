import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { createReport } from "./report.ts";
import type { Size } from "./size.ts";

/** One benchmark: a file of this folder that exports `run`. */
export interface Benchmark {
  run(report: ReturnType<typeof createReport>, size: Size): Promise<void>;
}

const notBenchmarks = new Set(["main", "report", "size"]);
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .filter((name) => !notBenchmarks.has(name));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    /** The same work with small numbers. */
    ci: { type: "boolean", default: false },
  },
});
const [name] = positionals;
if (name === undefined || !names.includes(name)) {
  const usage = "npm run bench -- NAME [--json] [--ci]";
  process.stderr.write(`bench: say which: ${usage}, where NAME is one of ${names.join(", ")}\n`);
  process.exit(2);
}
const report = createReport(name, values.json);
const benchmark = (await import(`./${name}.ts`)) as Benchmark;
if (values.ci) process.stderr.write("bench: small numbers: that it runs is seen, its figures mean nothing\n");
await benchmark.run(report, (full, small) => (values.ci ? small : full));
process.exit(report.finish());

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { rows } from "./faults/rows.ts";
import { chooseRows } from "./faults/runner/choose.ts";
import { asJson, printed } from "./faults/runner/print.ts";
import { runRow } from "./faults/runner/run-row.ts";

/**
 * The fault runs: each row breaks one thing in a world of its own, with real processes, and counts what is left. Counts
 * fail the run; times are printed with `met` or `missed`.
 */
const { values } = parseArgs({
  options: {
    /** The same rows with smaller numbers. */
    ci: { type: "boolean", default: false },
    /** Names of rows, with commas between. */
    only: { type: "string" },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const interrupted = new AbortController();
let exitCode = 0;
for (const [name, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  process.once(name, () => {
    exitCode = 128 + number;
    interrupted.abort(new Error(`interrupted by ${name}`));
  });
}

try {
  const chosen = chooseRows(rows, values.only);
  if (values.list) for (const { name, claim } of chosen) process.stdout.write(`${name.padEnd(18)} ${claim}\n`);
  else exitCode ||= await runAll(chosen);
} catch (error) {
  say(`faults: ${error instanceof Error ? error.message : error}`);
  exitCode ||= 1;
}
process.exit(exitCode);

async function runAll(chosen: typeof rows): Promise<number> {
  const failed: string[] = [];
  for (const [i, row] of chosen.entries()) {
    say(`faults: ${row.name} (${i + 1} of ${chosen.length}): ${row.claim}`);
    const report = await runRow(row, {
      root: resolve(import.meta.dirname, "../.."),
      small: values.ci,
      say: (text) => say(`faults: ${row.name}: ${text}`),
      onLine: (name, line) => values.verbose && say(`${name} | ${line}`),
      signal: interrupted.signal,
      random: Math.random,
    });
    process.stdout.write(values.json ? asJson(report) : printed(report));
    if (!report.ok) failed.push(row.name);
    if (interrupted.signal.aborted) return exitCode;
  }
  if (!values.json) {
    process.stdout.write(
      failed.length === 0 ? `faults: ${chosen.length} rows hold\n` : `faults: broken: ${failed.join(", ")}\n`,
    );
  }
  return failed.length === 0 ? 0 : 1;
}

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { onInterrupt } from "@weft/devstack";
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
// The second one is meant seriously: the children end with this process.
const interrupt = onInterrupt(() => process.exit(interrupt.exitCode()));

try {
  const chosen = chooseRows(rows, values.only);
  if (values.list) for (const { name, claim } of chosen) process.stdout.write(`${name.padEnd(18)} ${claim}\n`);
  else process.exitCode = await runAll(chosen);
} catch (error) {
  say(`faults: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
process.exit(interrupt.exitCode() || process.exitCode);

async function runAll(chosen: typeof rows): Promise<number> {
  const failed: string[] = [];
  for (const [i, row] of chosen.entries()) {
    say(`faults: ${row.name} (${i + 1} of ${chosen.length}): ${row.claim}`);
    const report = await runRow(row, {
      root: resolve(import.meta.dirname, "../.."),
      small: values.ci,
      say: (text) => say(`faults: ${row.name}: ${text}`),
      onLine: (name, line) => values.verbose && say(`${name} | ${line}`),
      signal: interrupt.signal,
      random: Math.random,
    });
    process.stdout.write(values.json ? asJson(report) : printed(report));
    if (!report.ok) failed.push(row.name);
    if (interrupt.signal.aborted) break;
  }
  if (!values.json) {
    process.stdout.write(
      failed.length === 0 ? `faults: ${chosen.length} rows hold\n` : `faults: broken: ${failed.join(", ")}\n`,
    );
  }
  return failed.length === 0 ? 0 : 1;
}

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startEphemeralInfrastructure } from "../ephemeral.ts";
import { runForeground } from "../foreground.ts";
import { onInterrupt } from "../interrupt.ts";

/** `weft test`: runs vitest with infrastructure of its own. The very last line says how many passed and failed. */
export async function test(root: string, args: readonly string[], say: (text: string) => void): Promise<number> {
  let abandon = () => process.exit(130);
  const interrupt = onInterrupt(() => abandon());
  const results = join(root, ".weft", `test-results-${process.pid}.json`);
  mkdirSync(join(root, ".weft"), { recursive: true });
  let outcome: Outcome;
  try {
    const infrastructure = await startEphemeralInfrastructure(root, process.env, say);
    abandon = () => {
      infrastructure.abandon();
      process.exit(130);
    };
    try {
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
      const vitest = [
        process.execPath,
        join(root, "node_modules", "vitest", "vitest.mjs"),
        "run",
        ...reporters,
        ...args,
      ];
      const env = { ...process.env, ...infrastructure.env };
      const code = await runForeground(vitest, env, root, interrupt.signal);
      outcome = readOutcome(results, code);
    } finally {
      await infrastructure.stop();
    }
  } catch (error) {
    say((error as Error).message);
    outcome = { code: 1, line: summary(0, 1, 0) };
  }
  rmSync(results, { force: true });
  interrupt.dispose();
  process.stdout.write(`${outcome.line}\n`);
  return interrupt.exitCode() || outcome.code;
}

interface Outcome {
  readonly code: number;
  readonly line: string;
}

interface VitestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** A file that can't be loaded, and a run that ends badly with no failed test, count as failures too. */
export function readOutcome(file: string, exitCode: number): Outcome {
  let results: VitestResults;
  try {
    results = JSON.parse(readFileSync(file, "utf8")) as VitestResults;
  } catch {
    return { code: exitCode || 1, line: summary(0, 1, 0) };
  }
  const broken = results.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  ).length;
  const counted = results.numFailedTests + broken;
  const failed = counted === 0 && exitCode !== 0 ? 1 : counted;
  const skipped = results.numPendingTests + results.numTodoTests;
  return { code: failed > 0 ? exitCode || 1 : 0, line: summary(results.numPassedTests, failed, skipped) };
}

function summary(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

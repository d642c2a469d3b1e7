import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createFindings, type Finding, failure } from "./findings.ts";
import type { Ground, Row } from "./row.ts";

export interface RunOptions extends Pick<Ground, "root" | "say" | "onLine" | "random"> {
  readonly small: boolean;
  /** Aborts when all rows are to end. */
  readonly signal: AbortSignal;
}

export interface RowReport {
  readonly row: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

/** Runs a row to its end and takes down what it built, whatever happened. Never rejects: a row that throws has failed. */
export async function runRow(row: Row, options: RunOptions): Promise<RowReport> {
  const { root, small, say, onLine, random } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const findings = createFindings();
  const startedAt = performance.now();
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(row.minutes * 60_000)]);
  const atEnd = (close: () => Promise<void> | void): void => void closers.push(close);
  const folder = (): string => {
    const path = mkdtempSync(join(root, ".weft-faults-"));
    atEnd(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const attempt = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      findings.violation(error instanceof Error ? error.message : String(error));
    }
  };
  const size = (full: number, less: number): number => (small ? less : full);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const fail = (why: string): void => reject(new Error(why));
  const ground: Ground = { root, findings, size, folder, atEnd, fail, say, onLine, signal, random };
  const late = `${row.name} took more than ${row.minutes} min`;
  await attempt(() => Promise.race([row.run(ground), failed, ended(signal, late)]));
  for (let close = closers.pop(); close; close = closers.pop()) await attempt(close);
  const { all } = findings;
  const ok = all.every((finding) => failure(finding) === undefined);
  return { row: row.name, ok, seconds: Math.round((performance.now() - startedAt) / 1_000), findings: all };
}

function ended(signal: AbortSignal, late: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void =>
      reject(signal.reason instanceof Error && signal.reason.name === "TimeoutError" ? new Error(late) : signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

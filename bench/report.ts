/** One measured variant. `rps` is operations a second, whatever the operation; times are milliseconds. */
export interface Row {
  readonly variant: string;
  readonly concurrency?: number;
  readonly rps?: number;
  readonly p50_ms?: number;
  readonly p99_ms?: number;
  readonly errors?: number;
  readonly [figure: string]: number | string | undefined;
}

/** A human table, or with `--json` one JSON object a line. */
export function createReport(bench: string, json: boolean) {
  let errors = 0;
  const rows: Row[] = [];
  return {
    row(row: Row): void {
      errors += row.errors ?? 0;
      rows.push(row);
      if (json) process.stdout.write(`${JSON.stringify({ bench, ...row })}\n`);
    },
    /** The exit code: errors fail the run. */
    finish(): number {
      if (!json) {
        for (const { variant, ...figures } of rows) {
          const text = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`);
          process.stdout.write(`${variant.padEnd(24)} ${text.join("   ")}\n`);
        }
      }
      return errors === 0 ? 0 : 1;
    },
  };
}

/** The q-quantile (0 to 1) of unsorted samples. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN) * 10) / 10;
}

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

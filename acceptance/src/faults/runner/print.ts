import { type Finding, failure } from "./findings.ts";
import type { RowReport } from "./run-row.ts";

/** A row for people: its name, then a line a finding. */
export function printed({ row, ok, seconds, findings }: RowReport): string {
  const lines = findings.map((finding) => `  ${line(finding)}\n`);
  return `${ok ? "✓" : "✗"} ${row} (${seconds} s)\n${lines.join("")}`;
}

function line(finding: Finding): string {
  const found = (what: string, text: string): string => `${what.padEnd(46)} ${text}`;
  switch (finding.kind) {
    case "figure":
      return found(finding.what, String(finding.value));
    case "count":
      return found(finding.what, failure(finding) === undefined ? `${finding.seen}` : `✗ ${failure(finding)}`);
    case "least":
      return found(
        finding.what,
        failure(finding) === undefined ? `${finding.seen} ≥ ${finding.least}` : `✗ ${failure(finding)}`,
      );
    case "bar":
      return found(
        finding.what,
        `${judged(finding)} ${amount(finding.value, finding.unit)} ≤ ${finding.bar} ${finding.unit}`,
      );
    case "violation":
      return `✗ ${finding.text}`;
  }
}

/** A row for programs: one JSON object on a line. */
export function asJson({ row, ok, seconds, findings }: RowReport): string {
  const of = <K extends Finding["kind"]>(kind: K): readonly Extract<Finding, { kind: K }>[] =>
    findings.filter((finding): finding is Extract<Finding, { kind: K }> => finding.kind === kind);
  return `${JSON.stringify({
    row,
    ok,
    seconds,
    figures: Object.fromEntries(of("figure").map(({ what, value }) => [what, value])),
    counts: Object.fromEntries([
      ...of("count").map(({ what, seen, wanted }) => [what, { seen, wanted }]),
      ...of("least").map(({ what, seen, least }) => [what, { seen, least }]),
    ]),
    bars: Object.fromEntries(
      of("bar").map((bar) => [bar.what, { value: bar.value, bar: bar.bar, unit: bar.unit, judged: judged(bar) }]),
    ),
    violations: findings.flatMap((finding) => failure(finding) ?? []),
  })}\n`;
}

function judged({ value, bar }: { readonly value: number; readonly bar: number }): "met" | "missed" {
  return value <= bar ? "met" : "missed";
}

function amount(value: number, unit: string): string {
  return `${unit === "ms" ? Math.round(value) : Math.round(value * 100) / 100} ${unit}`;
}

/** What a row saw. Counts that are wrong and violations fail the run; times are told, and fail nothing. */
export type Finding =
  | { readonly kind: "figure"; readonly what: string; readonly value: number | string }
  | { readonly kind: "count"; readonly what: string; readonly seen: number; readonly wanted: number }
  | { readonly kind: "least"; readonly what: string; readonly seen: number; readonly least: number }
  | { readonly kind: "bar"; readonly what: string; readonly value: number; readonly bar: number; readonly unit: string }
  | { readonly kind: "violation"; readonly text: string };

/** Where a row writes what it saw, in the order in which it is to be read. */
export interface Findings {
  readonly all: readonly Finding[];
  figure(what: string, value: number | string): void;
  /** Must be exactly what is wanted. */
  count(what: string, seen: number, wanted: number): void;
  /** Must be so many, or more. */
  atLeast(what: string, seen: number, least: number): void;
  /** Should not be above the bar. */
  within(what: string, value: number, bar: number, unit: string): void;
  violation(text: string): void;
}

/** More of them would tell nothing more. */
const shownViolations = 20;

export function createFindings(): Findings {
  const all: Finding[] = [];
  let violations = 0;
  return {
    all,
    figure: (what, value) => void all.push({ kind: "figure", what, value }),
    count: (what, seen, wanted) => void all.push({ kind: "count", what, seen, wanted }),
    atLeast: (what, seen, least) => void all.push({ kind: "least", what, seen, least }),
    within: (what, value, bar, unit) => void all.push({ kind: "bar", what, value, bar, unit }),
    violation(text) {
      violations += 1;
      if (violations <= shownViolations) all.push({ kind: "violation", text });
    },
  };
}

/** Why a finding fails its run; undefined when it doesn't. */
export function failure(finding: Finding): string | undefined {
  const instead = (wanted: string, { what, seen }: { readonly what: string; readonly seen: number }): string =>
    `${what}: ${seen} instead of ${wanted}`;
  switch (finding.kind) {
    case "violation":
      return finding.text;
    case "count":
      return finding.seen === finding.wanted ? undefined : instead(`${finding.wanted}`, finding);
    case "least":
      return finding.seen >= finding.least ? undefined : instead(`at least ${finding.least}`, finding);
    case "figure":
    case "bar":
      return undefined;
  }
}

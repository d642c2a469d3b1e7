import type { Findings } from "./findings.ts";

/** One fault, what breaks, and what must hold: a world of its own, which it takes down again. */
export interface Row {
  readonly name: string;
  /** One line for a list. */
  readonly claim: string;
  /** A run that takes longer has failed. */
  readonly minutes: number;
  /** Rejects when it can't go on. What it saw until then still counts. */
  run(ground: Ground): Promise<void>;
}

/** What a row stands on. */
export interface Ground {
  readonly root: string;
  readonly findings: Findings;
  /** The first is the row's full measure, the second is what there is time for before each merge. */
  size(full: number, small: number): number;
  /** A new data folder, removed at the end. */
  folder(): string;
  /** Closes it at the end, before what was added earlier; also when the row fails or is interrupted. */
  atEnd(close: () => Promise<void> | void): void;
  /** Ends the row as failed: what it stands on is gone. */
  fail(why: string): void;
  /** Progress, for people. */
  readonly say: (text: string) => void;
  /** What the row's processes write, for who looks for a fault. */
  readonly onLine: (process: string, line: string) => void;
  /** Aborts when the row is to end. */
  readonly signal: AbortSignal;
  /** From 0 up to 1. */
  readonly random: () => number;
}

import type { Duration } from "@bufbuild/protobuf/wkt";

/** Node's timers hold 31 bits of milliseconds; longer ones fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Milliseconds, with a fraction where the contract has one. */
export function milliseconds(duration: Duration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}

/** What is wrong with a duration that a timer is to be set to, or undefined. */
export function durationProblem(duration: Duration): string | undefined {
  const ms = milliseconds(duration);
  if (ms <= 0) return "is not above zero";
  if (ms > longestTimerMs) return "is longer than a timer can be (about 24 days)";
  return undefined;
}

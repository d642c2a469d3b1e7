import type { Attempt, Call, MethodName, Outcome, Served } from "./programs/orders.ts";

export interface Window {
  readonly from?: number;
  readonly to?: number;
}

/** The calls that began within the window, on the machine's clock. */
export function during(calls: readonly Call[], { from = 0, to = Number.POSITIVE_INFINITY }: Window): readonly Call[] {
  return calls.filter(({ startedAt }) => startedAt >= from && startedAt < to);
}

export function failedCalls(calls: readonly Call[], ...methods: readonly MethodName[]): readonly Call[] {
  return calls.filter(({ method, outcome }) => outcome !== "OK" && (methods.length === 0 || methods.includes(method)));
}

/** How many ended with each outcome, such as `{"OK": 10, "UNAVAILABLE": 1}`. */
export function outcomes(calls: readonly Pick<Call, "outcome">[]): Readonly<Partial<Record<Outcome, number>>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const { outcome } of calls) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The value below which the share `q` of the others is; 0 where there is none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}

/** Milliseconds that the calls which succeeded took. */
export function p99(calls: readonly Call[]): number {
  return quantile(
    calls.filter(({ outcome }) => outcome === "OK").map(({ tookMs }) => tookMs),
    0.99,
  );
}

/** Calls that got their answer within the window, a second. */
export function goodput(calls: readonly Call[], { from, to }: Required<Window>): number {
  const answered = calls.filter(({ outcome, startedAt, tookMs }) => {
    const at = startedAt + tookMs;
    return outcome === "OK" && at >= from && at < to;
  });
  return (1_000 * answered.length) / (to - from);
}

/** Handlers that began within the window. */
export function startedDuring(
  served: readonly Served[],
  { from = 0, to = Number.POSITIVE_INFINITY }: Window,
): readonly Served[] {
  return served.filter(({ startedAt }) => startedAt >= from && startedAt < to);
}

/** Of all handlers that began within the window, the share of those that are `one`'s, in percent. */
export function percentOf(one: readonly Served[], all: readonly (readonly Served[])[], window: Window): number {
  const total = all.reduce((sum, each) => sum + startedDuring(each, window).length, 0);
  return total === 0 ? 0 : (100 * startedDuring(one, window).length) / total;
}

/** Attempts at the instance that ran when the time began or were begun within it. */
export function attemptsDuring(
  attempts: readonly Attempt[],
  instance: string,
  { from = 0, to = Number.POSITIVE_INFINITY }: Window,
): readonly Attempt[] {
  return attempts.filter(
    (each) => each.instance === instance && each.startedAt < to && (each.endedAt === undefined || each.endedAt >= from),
  );
}

/** How many attempts at the instance began in each of the first so many seconds from that moment. */
export function attemptsEachSecond(
  attempts: readonly Attempt[],
  instance: string,
  from: number,
  seconds: number,
): readonly number[] {
  const counts = Array.from({ length: seconds }, () => 0);
  for (const each of attempts) {
    const second = Math.floor((each.startedAt - from) / 1_000);
    if (each.instance === instance && second >= 0 && second < seconds) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

/**
 * The last moment at which the instance got more than `most` attempts within a second: from then on it gets probes alone.
 * `from` where it never did, undefined where that goes on until `to`.
 */
export function quietFrom(
  attempts: readonly Attempt[],
  instance: string,
  { from, to }: Required<Window>,
  most: number,
): number | undefined {
  const at = attempts
    .filter((each) => each.instance === instance && each.startedAt >= from && each.startedAt < to)
    .map(({ startedAt }) => startedAt)
    .sort((a, b) => a - b);
  const last = at.findLast((moment, i) => (at[i - most] ?? Number.NEGATIVE_INFINITY) > moment - 1_000);
  return last === undefined ? from : last < to - 1_000 ? last : undefined;
}

import type { SimulatedCall } from "./simulation.ts";

/** The calls that began in that time. */
export function between(calls: readonly SimulatedCall[], from: number, to: number): readonly SimulatedCall[] {
  return calls.filter(({ startedAt }) => from <= startedAt && startedAt < to);
}

/** The part of the calls that went to that server, 0 to 1. */
export function shareOf(calls: readonly SimulatedCall[], server: string): number {
  return calls.filter((call) => call.server === server).length / calls.length;
}

/** How many calls each server took. */
export function counts(calls: readonly Pick<SimulatedCall, "server">[]): ReadonlyMap<string, number> {
  const counted = new Map<string, number>();
  for (const { server } of calls) counted.set(server, (counted.get(server) ?? 0) + 1);
  return counted;
}

/** 1 is even; it grows with how much the busiest server takes beyond the mean. */
export function maxToMean(calls: readonly SimulatedCall[], servers: number): number {
  return Math.max(...counts(calls).values()) / (calls.length / servers);
}

/** The 99th percentile of the calls' times, in milliseconds. */
export function p99(calls: readonly SimulatedCall[]): number {
  const times = calls.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

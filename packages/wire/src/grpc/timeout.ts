const unitsInMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Milliseconds of a `grpc-timeout`: at most 8 digits and a unit. Undefined for anything else; whoever sets a timer by it clamps
 * it, since it may be years.
 */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Number(digits) * (unitsInMs[unit] as number);
}

/** The `grpc-timeout` that is nearest to so many milliseconds and no longer; the least that there is for what is over. */
export function formatTimeout(ms: number): string {
  if (ms <= 0.000_001) return "1n";
  if (ms < 100) return `${Math.max(1, Math.floor(ms * 1_000))}u`;
  if (ms < 1e8) return `${Math.floor(ms)}m`;
  if (ms < 1e11) return `${Math.floor(ms / 1_000)}S`;
  return `${Math.min(99_999_999, Math.floor(ms / 3_600_000))}H`;
}

export interface BackoffOptions {
  /** The first pause, in milliseconds. */
  readonly baseMs: number;
  /** No pause is longer, in milliseconds. */
  readonly maxMs: number;
  readonly random?: () => number;
}

/** The pause before try `failures + 1`: doubles with each failure, up to the maximum, and is random in its upper half. */
export function backoffMs(failures: number, { baseMs, maxMs, random = Math.random }: BackoffOptions): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return full * (0.5 + random() / 2);
}

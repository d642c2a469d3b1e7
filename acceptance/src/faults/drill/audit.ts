/** A wish that was granted: its event was committed. */
export interface GrantedWish {
  readonly attempt: string;
  readonly key: string;
  readonly key_seq: string;
}

export interface DrillBooks {
  readonly granted: readonly GrantedWish[];
  /** In the order in which they were committed for each key. */
  readonly effects: readonly GrantedWish[];
}

export interface DrillAudit {
  /** Events that were committed and have no effect. */
  readonly lost: number;
  /** Effects beyond the first of an event. */
  readonly doubled: number;
  /** Effects that came after one of a later event of their key. */
  readonly disordered: number;
  /** Effects of what was never committed, or was committed otherwise. */
  readonly unfounded: number;
}

/** Compares what was committed with what came of it. */
export function auditDrill({ granted, effects }: DrillBooks): DrillAudit {
  const wanted = new Map(granted.map((wish) => [wish.attempt, wish]));
  const seen = new Set<string>();
  const latest = new Map<string, bigint>();
  let [doubled, disordered, unfounded] = [0, 0, 0];
  for (const { attempt, key, key_seq } of effects) {
    const wish = wanted.get(attempt);
    if (wish?.key !== key || wish.key_seq !== key_seq) unfounded += 1;
    if (seen.has(attempt)) doubled += 1;
    seen.add(attempt);
    if (BigInt(key_seq) < (latest.get(key) ?? 0n)) disordered += 1;
    else latest.set(key, BigInt(key_seq));
  }
  return { lost: granted.filter(({ attempt }) => !seen.has(attempt)).length, doubled, disordered, unfounded };
}

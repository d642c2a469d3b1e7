/** Numbers that a seed makes, the same each time. */
export interface Random {
  /** An integer from 0 to below this. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(length: number): Buffer;
  /** Octets as characters. */
  text(length: number): string;
}

/** xorshift32 (Marsaglia, 2003). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  // Made once: an octet at a time they would take longer than what is done with them.
  const pool = Buffer.from(Array.from({ length: 65_536 }, () => below(256)));
  const bytes = (length: number): Buffer => {
    const at = below(pool.length - length);
    return Buffer.from(pool.subarray(at, at + length));
  };
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
    bytes,
    text: (length) => bytes(length).toString("latin1"),
  };
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (a Weyl sequence through a mixing function). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A sample of the exponential distribution with that mean. */
export function exponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}

/**
 * MurmurHash3 (Austin Appleby's x86 variant of 32 bits) over a string's UTF-16 code units, two a block: an unsigned integer.
 * Keys come with each call, and a call into node:crypto costs more than all the rest of a pick. It is no defence against
 * keys that are chosen to collide.
 */
export function hash(text: string, seed = 0): number {
  let state = seed | 0;
  const pairs = text.length & ~1;
  for (let i = 0; i < pairs; i += 2) {
    state ^= mixed(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    state = (Math.imul((state << 13) | (state >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (pairs < text.length) state ^= mixed(text.charCodeAt(pairs));
  state ^= text.length * 2;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

function mixed(block: number): number {
  const spread = Math.imul(block, 0xcc9e2d51);
  return Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
}

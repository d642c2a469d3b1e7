/** Where frames are written before they leave. Octets before `at` belong to somebody already. */
export interface Slab {
  readonly bytes: Buffer;
  at: number;
}

const slabBytes = 65_536;
const mostFree = 16;
const free: Slab[] = [];

/**
 * A piece of memory that is the caller's alone until it is given back, with room for so many octets. One turn of the event loop
 * takes one: connections that are idle hold none, and what was written is never written over.
 */
export function takeSlab(octets: number): Slab {
  const slab = free.pop();
  if (slab !== undefined && slab.bytes.length - slab.at >= octets) return slab;
  return { bytes: Buffer.allocUnsafeSlow(Math.max(slabBytes, octets)), at: 0 };
}

export function giveBackSlab(slab: Slab): void {
  if (free.length < mostFree && slab.bytes.length - slab.at >= slabBytes / 4) free.push(slab);
}

import { CompressionError } from "./compression-error.ts";

/** A place in a block that is read; moves on as it is. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

/** Most octets that an integer takes here after its first one: 28 bits, more than any length or index may be. */
const continuationOctets = 4;

/** Reads an integer whose first octet has `prefix` bits of it (RFC 7541 section 5.1). Throws CompressionError. */
export function readInteger(cursor: Cursor, prefix: number): number {
  const full = (1 << prefix) - 1;
  const first = readOctet(cursor) & full;
  if (first < full) return first;
  let value = full;
  for (let octets = 0; octets < continuationOctets; octets++) {
    const octet = readOctet(cursor);
    value += (octet & 0x7f) << (7 * octets);
    if (octet < 0x80) return value;
  }
  throw new CompressionError("an integer of the header block is too large");
}

function readOctet(cursor: Cursor): number {
  if (cursor.at >= cursor.end) throw new CompressionError("the header block ends in the middle of a field");
  return cursor.bytes[cursor.at++] as number;
}

/** Writes an integer behind the bits of `flags`, at most 6 octets; returns where the next octet goes. */
export function writeInteger(target: Uint8Array, at: number, flags: number, prefix: number, value: number): number {
  const full = (1 << prefix) - 1;
  if (value < full) {
    target[at] = flags | value;
    return at + 1;
  }
  target[at++] = flags | full;
  let rest = value - full;
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}
